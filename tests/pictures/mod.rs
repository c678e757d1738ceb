//! Image folders: detecting the layout, decoding pictures, and reporting errors.

mod album;
mod damage;
mod decoding;
mod layout;
mod refused;
mod splits;
