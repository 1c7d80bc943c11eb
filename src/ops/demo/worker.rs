//! An agent that works: it takes the best task and renews its lease until it
//! is killed, or the demo is gone.

use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::super::error::Error;
use crate::env::Env;
use crate::exec::own::{Ended, Own};

/// Works in `dir` as the agent that the environment names, with leases of
/// `ttl`; `tell` gets each answer. Ends with the first command that does not
/// end with 0, or when standard input ends.
///
/// Every step is a command of its own, as it would be for an agent that types
/// them.
pub fn work(env: &Env, dir: &Path, ttl: Duration, tell: &mut dyn FnMut(&Ended)) -> Result<(), Error> {
    let own = Own::inheriting(env).map_err(|source| failed(&source))?;
    let mut run = |args: &[&str]| -> Result<bool, Error> {
        let ended = own.run(dir, &[], args).map_err(|source| failed(&source))?;
        tell(&ended);
        Ok(ended.code == Some(0))
    };
    // The demo holds the other end of our input: it ends with the demo,
    // however that ends.
    let (tell_end, end) = channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        drop(tell_end);
    });
    let lease = format!("{}s", ttl.as_secs());
    let mut goes_on = run(&["next", "--ttl", &lease])?;
    while goes_on && end.recv_timeout(ttl / 4) == Err(RecvTimeoutError::Timeout) {
        goes_on = run(&["renew"])?;
    }
    Ok(())
}

fn failed(source: &std::io::Error) -> Error {
    Error::Fatal {
        what: format!("this program cannot start itself: {source}"),
        hint: "see that its file is still where it was started from".into(),
    }
}
