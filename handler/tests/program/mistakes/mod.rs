//! Mistakes and outages: each tried with the real executable, as a user meets it, and held to what must be printed.
//!
//! A case is a row of one of the tables ([`settings`], [`vendors`], [`connections`], [`destination`], [`state`], [`run_output`]): what is
//! set, how the vendor or the destination behaves, the command, and what its output must and must not hold. [`host`] has
//! what only shows under the Functions host.
//!
//! Left out, because a test on one Linux machine cannot bring them about: an expired certificate (the test authority
//! issues none), a disk of the state that is full, and a folder without the right to write where the tests run as root
//! (a file in its place stands for it).

mod case;
mod connections;
mod destination;
mod host;
mod run;
mod run_output;
mod settings;
mod stand_in;
mod state;
mod vendors;
