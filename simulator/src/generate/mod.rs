//! Seeded vendor events in their true shapes, with parts that are absent as often as at the vendor's.
//!
//! A generator walks its table of types in a circle, so any run that is at least as long as the table holds
//! every type. The same seed and the same times give the same bytes.

pub mod onelogin;
pub mod onelogin_api;
pub mod pingone;
pub mod pingone_enterprise;
pub mod sentinelone;

mod json_object;

/// Text that a careless program breaks: letters beyond ASCII, quotes, backslashes, line ends, markup.
const DIFFICULT_NAMES: [&str; 10] = [
    "Fjord Team",
    "Käsekuchen & Söhne",
    "経理部の共有",
    "quoted \"inner\" name",
    "back\\slash\\share",
    "two\nlines",
    "tab\there",
    "<b>markup</b>",
    "rocket 🚀 squad",
    "O'Leary; DROP",
];

/// Addresses of the documentation ranges (RFC 5737, RFC 3849).
const ADDRESSES: [&str; 5] = [
    "192.0.2.17",
    "198.51.100.204",
    "203.0.113.9",
    "2001:db8:41::a7",
    "2001:db8:0:12::ff",
];

const USER_AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
    "northwind-agent/3.2 (+https://agent.example.com/about)",
];
