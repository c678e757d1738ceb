//! The program as its users and their scripts see it: arguments in, exit code and text out.

mod bench;
mod completions;
mod devices;
mod elsewhere;
mod files;
mod flags;
mod output;
mod precedence;
mod resume;
mod support;
mod training;
