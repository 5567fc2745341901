//! Which lines are logged: the value of RUST_LOG, or the default.

use env_filter::{Builder, Filter};
use log::LevelFilter;

/// This program in the names of log targets.
const PROGRAM: &str = "handler";
/// Logs an error for every connection whose certificate is not accepted, also where the connection is tried again; the
/// error of the request says it too.
const CERTIFICATE_VERIFIER: &str = "rustls_platform_verifier";

/// `info` of this program. The libraries' own lines name no stream and no remedy, and what they tell of is in our own
/// lines where it matters.
pub fn default_filter() -> Filter {
    Builder::new().filter_module(PROGRAM, LevelFilter::Info).build()
}

/// The filter that RUST_LOG asks for; `None` if its value is not understood.
pub fn filter_of(rust_log: &str) -> Option<Filter> {
    let (levels, _) = rust_log.split_once('/').unwrap_or((rust_log, ""));
    if !levels.split(',').map(str::trim).all(is_understood) {
        return None;
    }
    let mut builder = Builder::new();
    builder.filter_module(CERTIFICATE_VERIFIER, LevelFilter::Off);
    Some(builder.try_parse(rust_log).ok()?.build())
}

/// A word alone that is no level would be taken for a module, of which everything is logged and nothing else: a slip
/// such as `verbose` would silence the program.
fn is_understood(directive: &str) -> bool {
    let is_of_program = directive == PROGRAM || directive.starts_with("handler::");
    directive.is_empty() || directive.contains('=') || directive.parse::<LevelFilter>().is_ok() || is_of_program
}

#[cfg(test)]
mod tests {
    use log::{Level, Record};

    use super::*;

    fn is_logged(filter: &Filter, target: &str, level: Level) -> bool {
        filter.matches(&Record::builder().target(target).level(level).build())
    }

    #[test]
    fn by_default_the_program_is_logged_from_information_on_and_libraries_not_at_all() {
        let filter = default_filter();
        assert!(is_logged(&filter, "handler::jobs", Level::Info));
        assert!(!is_logged(&filter, "handler::jobs", Level::Debug));
        for library in [
            "rustls_platform_verifier::verification",
            "object_store::client::retry",
            "azure_identity::managed_identity_credential",
            "typespec_client_core::http::policies::logging",
            "actix_server::builder",
        ] {
            assert!(!is_logged(&filter, library, Level::Error), "{library}");
        }
    }

    #[test]
    fn a_level_is_for_the_libraries_too_and_a_noisy_one_must_be_named() {
        let filter = filter_of("info").unwrap();
        assert!(is_logged(&filter, "object_store::client::retry", Level::Info));
        let verifier = "rustls_platform_verifier::verification";
        assert!(!is_logged(&filter, verifier, Level::Error));
        let named = filter_of("warn, rustls_platform_verifier=error").unwrap();
        assert!(is_logged(&named, verifier, Level::Error));
        assert!(!is_logged(&named, "handler::jobs", Level::Info));
    }

    #[test]
    fn what_is_no_level_and_no_module_of_ours_is_not_understood() {
        for text in [
            "verbose",
            "warning",
            "handler=loud",
            "info,verbose",
            "a=b=c",
            "info/a/b",
        ] {
            assert!(filter_of(text).is_none(), "{text}");
        }
        for text in [
            "WARN",
            "off",
            "handler",
            "handler::jobs",
            "handler=debug,warn",
            "info/text",
        ] {
            assert!(filter_of(text).is_some(), "{text}");
        }
    }
}
