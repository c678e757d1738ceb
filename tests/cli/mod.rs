//! The program as users and scripts see it: arguments in, exit code and text out.

mod bench;
mod browser;
mod completions;
mod continuation;
mod dashboard;
mod devices;
mod elsewhere;
mod figures;
mod files;
mod flags;
mod folders;
mod layers;
mod manners;
mod mistakes;
mod output;
mod pictures;
mod precedence;
mod report;
mod resume;
mod support;
mod tensorboard;
mod training;
