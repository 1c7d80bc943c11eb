//! The `git-comm` binary: hands the process's arguments and surroundings to
//! the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let env = git_comm::env::Env::from_process();
    ExitCode::from(git_comm::cli::run(std::env::args_os().skip(1).collect(), &env))
}
