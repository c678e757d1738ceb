//! Folders of pictures: what is found, what it becomes, and what is wrong with it.

mod album;
mod damage;
mod decoding;
mod layout;
mod refused;
mod splits;
