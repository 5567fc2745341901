//! The vendors, a folder each: how to sign in, ask for a window, read a page and name an event; nothing else. They
//! know no destination, no table and no state.

pub mod onelogin;
pub mod pingone;
pub mod pingone_enterprise;
pub mod sentinelone;
