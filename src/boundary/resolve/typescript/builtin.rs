//! Modules that come with the runtime.

/// Node's, by the names that need no `node:`.
const NODE: [&str; 68] = [
    "_http_agent",
    "_http_client",
    "_http_common",
    "_http_incoming",
    "_http_outgoing",
    "_http_server",
    "_stream_duplex",
    "_stream_passthrough",
    "_stream_readable",
    "_stream_transform",
    "_stream_wrap",
    "_stream_writable",
    "_tls_common",
    "_tls_wrap",
    "assert",
    "assert/strict",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "dns/promises",
    "domain",
    "events",
    "fs",
    "fs/promises",
    "http",
    "http2",
    "https",
    "inspector",
    "inspector/promises",
    "module",
    "net",
    "os",
    "path",
    "path/posix",
    "path/win32",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "readline/promises",
    "repl",
    "stream",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "string_decoder",
    "sys",
    "timers",
    "timers/promises",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "util/types",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Whether a module comes with the runtime, or is made by a tool without any
/// file: `node:fs`, `virtual:pages`.
pub(super) fn is_builtin(specifier: &str) -> bool {
    const SCHEMES: [&str; 9] =
        ["node", "bun", "deno", "cloudflare", "workerd", "astro", "virtual", "data", "blob"];
    match specifier.split_once(':') {
        Some((scheme, _)) => SCHEMES.contains(&scheme),
        None => NODE.binary_search(&specifier).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_the_runtime_are_known() {
        for (specifier, expected) in [
            ("fs", true),
            ("fs/promises", true),
            ("node:test", true),
            ("zlib", true),
            ("virtual:pages", true),
            ("fs/other", false),
            ("buffer/", false),
            ("react", false),
            ("npm:react", false),
        ] {
            assert_eq!(is_builtin(specifier), expected, "{specifier}");
        }
        assert!(NODE.is_sorted());
        assert!(NODE.iter().all(|name| is_builtin(name)));
    }
}
