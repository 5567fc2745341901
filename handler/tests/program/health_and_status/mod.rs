//! Health rows and the status say the same in every situation: state, position, lag, counts and what is wrong.

mod compare;
mod situations;
mod world;
