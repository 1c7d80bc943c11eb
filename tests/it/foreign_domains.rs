//! A task of a domain that its claimer does not work in.

use crate::commits::guarded;
use crate::hooks_support::RULES;
use crate::support::Sandbox;

#[test]
fn a_claim_in_another_domain_is_granted_and_remarked() {
    let given = guarded(RULES);
    let registered = Sandbox::new();
    registered.as_agent("ada", "agent register --domain api").succeeds();
    for s in [given, registered] {
        for words in ["one --domain web", "two --domain api", "three"] {
            s.add(words);
        }
        let run = s.as_agent("ada", "claim bd-1").succeeds();
        assert!(run.stdout.starts_with("claimed bd-1 "), "{}", run.stdout);
        assert_eq!(run.stderr, "warning: bd-1 is of domain web; you work in api\n");
        // It is said once, and where it is so.
        for words in ["claim bd-1", "claim bd-2", "claim bd-3"] {
            assert_eq!(s.as_agent("ada", words).succeeds().stderr, "", "{words}");
        }
        s.add("four --domain web");
        assert_eq!(s.as_agent("cyd", "claim bd-4").succeeds().stderr, "", "cyd works everywhere");
    }
}
