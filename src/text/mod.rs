//! Text that crosses a border: names, times, what is printed.
//!
//! Knows nothing of git, records or commands.

pub mod digest;
pub mod escape;
pub mod glob;
pub mod json;
pub mod name;
pub mod similar;
pub mod time;
