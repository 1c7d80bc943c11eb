//! The story: three agents build a tea shop, each in its own worktree, and
//! one of them dies.

mod borders;
mod end;
mod lease;
mod race;

use serde_json::Value;

use super::super::error::{Error, Exit};
use super::stage::{PERSON, Stage};

const ADA: &str = "ada";
/// The one that dies.
const BOB: &str = "bob";
/// The one that takes over.
const CLEO: &str = "cleo";
const AGENTS: [&str; 3] = [ADA, BOB, CLEO];
/// The domain that each is bound to.
const DOMAINS: [(&str, &str); 3] = [(ADA, "api"), (BOB, "web"), (CLEO, "web")];
/// The one that comes later, for one task.
const DORA: &str = "dora";

/// A task, and what becomes of it in the code.
struct Work {
    title: &'static str,
    domain: Option<&'static str>,
    /// What it waits for.
    deps: &'static [&'static str],
    /// The file that it changes, and what is added to it in two halves. After
    /// each it can be parsed, or no commit would pass.
    file: &'static str,
    halves: [&'static str; 2],
}

/// The plan; the first task is `bd-1`.
const PLAN: [Work; 6] = [
    Work { title: "Agree on what an order looks like", domain: None, deps: &[], file: "", halves: ["", ""] },
    Work {
        title: "Answer an order with its price",
        domain: Some("api"),
        deps: &["bd-1"],
        file: "api/orders.py",
        halves: ["\n\ndef receipt(order):\n    cents = price(order)\n", "    return {\"price\": cents}\n"],
    },
    Work {
        title: "Show the menu",
        domain: Some("web"),
        deps: &["bd-1"],
        file: "web/shop.js",
        halves: ["\ndocument.title = \"Tea shop\";\n", "list.hidden = false;\n"],
    },
    Work {
        title: "Send an order",
        domain: Some("web"),
        deps: &["bd-1"],
        file: "web/client.js",
        halves: [
            "\nexport const one = (tea) => order([{ tea, cups: 1 }]);\n",
            "export const pot = (tea) => order([{ tea, cups: 4 }]);\n",
        ],
    },
    Work {
        title: "Try an order from page to kitchen",
        domain: Some("web"),
        deps: &["bd-2", "bd-3", "bd-4"],
        file: "web/index.html",
        halves: ["<!-- Tried: from the page", " to the kitchen. -->\n"],
    },
    Work {
        title: "Announce the shop",
        domain: Some("docs"),
        deps: &["bd-5"],
        file: "docs/orders.md",
        halves: ["\n# The tea shop", " is open\n"],
    },
];

const DONE: i32 = Exit::Done as i32;
const NO: i32 = Exit::No as i32;
const NOT_YOURS: i32 = Exit::NotYours as i32;

/// Plays all acts.
pub(super) fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let start = stage.git(&["rev-parse", "HEAD"])?;
    plan(stage)?;
    borders::make_worktrees(stage)?;
    race::for_one(stage)?;
    let (worker, held) = race::for_three(stage)?;
    borders::keep_ada_in(stage, &held)?;
    borders::stop_an_import(stage, &held)?;
    lease::die(stage, worker, &held)?;
    lease::take_over(stage, &held)?;
    lease::come_back(stage, &held)?;
    lease::hand_over(stage, &held)?;
    end::finish(stage)?;
    end::judge_again(stage, start.trim())?;
    end::look_back(stage, &held)
}

fn plan(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("A repository becomes a board");
    stage.say("Kim plans a tea shop: an API, a web page and its docs. comm.toml says who owns which files.");
    stage.run_git(PERSON, &["show", "HEAD:comm.toml"], DONE)?;
    stage.run(PERSON, &["init"], DONE)?;
    for (number, work) in PLAN.iter().enumerate() {
        let mut args = vec!["add", work.title];
        args.extend(work.domain.iter().flat_map(|domain| ["--domain", *domain]));
        args.extend(work.deps.iter().flat_map(|dep| ["--dep", *dep]));
        let added = stage.run(PERSON, &args, DONE)?;
        let id = format!("bd-{}", number + 1);
        stage.check(added.stdout.trim() == id, || format!("`{}` did not become {id}", work.title))?;
    }
    stage.run(PERSON, &["ready"], DONE)?;
    let ready = ids(&stage.json(&["ready"])?);
    stage.check(ready == ["bd-1"], || format!("ready is {ready:?}, not bd-1 alone"))
}

/// What each agent took.
struct Held(Vec<(String, String)>);

impl Held {
    fn by(&self, agent: &str) -> &str {
        self.0.iter().find(|(holder, _)| holder == agent).map_or("", |(_, id)| id)
    }
}

/// The plan's entry for a task.
fn work(stage: &Stage<'_>, id: &str) -> Result<&'static Work, Error> {
    let number = id.strip_prefix("bd-").and_then(|number| number.parse::<usize>().ok());
    let found = number.and_then(|number| PLAN.get(number.wrapping_sub(1)));
    found.ok_or_else(|| stage.misbehaved(format!("`{id}` is no task of the plan")))
}

/// Lets `who` do a part of a task and commit it, under the claim that the
/// commit must then name.
fn commit(stage: &mut Stage<'_>, who: &str, id: &str, halves: &[usize], message: &str) -> Result<(), Error> {
    let work = work(stage, id)?;
    for half in halves {
        stage.append(who, work.file, work.halves.get(*half).copied().unwrap_or_default())?;
    }
    stage.run_git(who, &["commit", "-qam", message], DONE)?;
    check_trailers(stage, who, id)
}

/// Checks that the newest commit of `who` names the claim in force of a task.
fn check_trailers(stage: &mut Stage<'_>, who: &str, id: &str) -> Result<(), Error> {
    let named = stage.git_as(who, &["log", "-1", "--format=%an %(trailers)"])?;
    let claim = &stage.task(id)?["claim"];
    let token = claim["token"].as_u64().unwrap_or_default();
    let nonce = claim["nonce"].as_str().unwrap_or_default();
    let wanted = format!("{who} Comm-Task: {id}\nComm-Fence: {token}:{nonce}\n");
    stage.check(named.trim() == wanted.trim(), || format!("the commit names `{named}`, not `{wanted}`"))
}

/// Checks in the record who holds a task, and under which token.
fn check_holder(stage: &mut Stage<'_>, id: &str, agent: &str, token: u64) -> Result<(), Error> {
    let task = stage.task(id)?;
    let claim = &task["claim"];
    let holds = claim["agent"] == agent && claim["token"] == token;
    stage.check(holds, || format!("{id} should be held by {agent} with token {token}: {claim}"))
}

fn rows<'a>(answer: &'a Value, of: &str) -> &'a [Value] {
    answer[of].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn ids(answer: &Value) -> Vec<String> {
    rows(answer, "tasks").iter().filter_map(|task| task["id"].as_str().map(str::to_owned)).collect()
}
