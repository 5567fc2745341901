//! Many instances in one run.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use simulator::pingone::{EnvironmentOptions, PingOne};
use simulator::sentinelone::{SentinelOne, Stream, Version};

use crate::harness::*;
use crate::sentinelone::{delivered, name, names};

/// The first of each source has no name.
const PINGONE: [&str; 6] = ["", "ACME", "B2", "CHARLIE", "D", "9"];
const SENTINELONE: [&str; 6] = ["", "ACME", "BETA", "C3", "D", "E"];
/// What is polled without a setting.
const STREAMS: [Stream; 5] = [
    Stream::Activities,
    Stream::Agents,
    Stream::Groups,
    Stream::Threats,
    Stream::Alerts,
];
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";
const WRONG: &str = "a-credential-of_yesterday";

/// Twelve vendors and a handler that polls them all.
struct Twelve {
    pingone: Vec<PingOne>,
    consoles: Vec<SentinelOne>,
    handler: Handler,
}

fn prefix(source: &str, instance: &str) -> String {
    let infix = if instance.is_empty() { "" } else { "__" };
    format!("{source}__{instance}{infix}")
}

/// `default` where there is none.
fn instance_name(instance: &str) -> String {
    let name = if instance.is_empty() { "default" } else { instance };
    name.to_lowercase()
}

/// Its streams stand alone behind it, or together in brackets.
fn names_instance(line: &str, source: &str, instance: &str) -> bool {
    let name = format!("{}/{}", source.to_lowercase(), instance_name(instance));
    line.contains(&format!("{name}/")) || line.contains(&format!("{name} ("))
}

impl Twelve {
    fn start() -> Self {
        let mut handler = Handler::new();
        let pingone = PINGONE.into_iter().zip(0..).map(|(instance, number)| {
            let environment_id = format!("5f1c2d3e-0000-4000-8000-0000000000{number:02}");
            let vendor = PingOne::start(EnvironmentOptions {
                environment_id: environment_id.clone(),
                auth_environment_id: environment_id.clone(),
                ..options()
            });
            vendor.publish(activities(300 + number, 40, 30));
            handler.add_pingone(&prefix("PINGONE", instance), &environment_id, &vendor);
            vendor
        });
        let pingone = pingone.collect();
        let consoles = SENTINELONE.into_iter().zip(0..).map(|(instance, number)| {
            let console = SentinelOne::start(console_options());
            let mut estate = Estate::new(320 + number);
            for stream in STREAMS {
                estate.publish(&console, stream, times(40, 30));
            }
            handler.add_sentinelone(&prefix("SENTINELONE", instance), &console);
            console
        });
        let consoles = consoles.collect();
        Self {
            pingone,
            consoles,
            handler,
        }
    }

    /// Everything of these vendors has arrived once, and nothing else.
    fn assert_delivered(&self, is_well: impl Fn(&str, &str) -> bool) {
        let vendors = PINGONE.iter().zip(&self.pingone);
        let mut expected: Vec<String> = vendors
            .filter(|(instance, _)| is_well("PINGONE", instance))
            .flat_map(|(_, vendor)| vendor.published())
            .map(|activity| activity.id)
            .collect();
        expected.sort();
        let mut ids = self.handler.ids(ACTIVITIES);
        ids.sort();
        assert_eq!(ids, expected);
        let consoles = SENTINELONE.iter().zip(&self.consoles);
        let versions: Vec<Version> = consoles
            .filter(|(instance, _)| is_well("SENTINELONE", instance))
            .flat_map(|(_, console)| console.versions_current())
            .collect();
        for stream in STREAMS {
            let expected = names(stream, &versions);
            assert_eq!(delivered(&self.handler, stream), expected, "{stream:?}");
        }
        let of_pingone = self.pingone.iter().flat_map(|pingone| pingone.violations());
        let of_consoles = self.consoles.iter().flat_map(|console| console.violations());
        assert_eq!(of_pingone.chain(of_consoles).collect::<Vec<_>>(), Vec::<String>::new());
    }

    /// Every stream of every instance has a checkpoint of its own, and identities beside it.
    fn assert_own_state(&self) {
        let streams_of_console: Vec<&str> = STREAMS.into_iter().map(name).collect();
        for (source, instances, streams) in [
            ("pingone", PINGONE, vec!["activities"]),
            ("sentinelone", SENTINELONE, streams_of_console),
        ] {
            let folder = self.handler.path("data/state/checkpoints").join(source);
            let found = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
            let found: BTreeSet<String> = found.map(|name| name.into_string().unwrap()).collect();
            assert_eq!(found, instances.map(instance_name).into());
            for instance in instances {
                for stream in &streams {
                    let file = folder.join(instance_name(instance)).join(format!("{stream}.json"));
                    let text = fs::read_to_string(&file).unwrap();
                    let checkpoint: Value = serde_json::from_str(&text).unwrap();
                    assert!(checkpoint["tables"].is_object(), "{}: {text}", file.display());
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_instance_and_one_with_a_bad_credential_leave_the_other_ten_alone() {
    let cases = [
        (
            ("SENTINELONE", "BETA", &["URL"][..]),
            ("PINGONE", "CHARLIE", "CLIENT_SECRET"),
        ),
        (
            ("PINGONE", "", &["AUTH_URL", "API_URL"][..]),
            ("SENTINELONE", "", "API_TOKEN"),
        ),
    ];
    for ((gone_source, gone, addresses), (bad_source, bad, credential)) in cases {
        let mut twelve = Twelve::start();
        let right = twelve.handler.environment.clone();
        let gone_prefix = prefix(gone_source, gone);
        let gone_setting = format!("{gone_prefix}{}", addresses[0]);
        let bad_setting = format!("{}{credential}", prefix(bad_source, bad));
        for address in addresses {
            twelve.handler.set(&format!("{gone_prefix}{address}"), NOWHERE);
        }
        twelve.handler.set(&bad_setting, WRONG);

        let ended = twelve.handler.poll().await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        twelve.assert_delivered(|source, instance| {
            (source, instance) != (gone_source, gone) && (source, instance) != (bad_source, bad)
        });
        twelve.assert_own_state();
        let errors: Vec<&str> = ended.output.lines().filter(|line| line.contains("ERROR")).collect();
        for (source, instance, words) in [
            (gone_source, gone, vec![gone_setting.as_str()]),
            (bad_source, bad, vec!["401", bad_setting.as_str()]),
        ] {
            let line = errors.iter().find(|line| names_instance(line, source, instance));
            let line = line.unwrap_or_else(|| panic!("{source} {instance}: {}", ended.output));
            for word in words {
                assert!(line.contains(word), "{word}: {line}");
            }
        }
        let names_a_failed_one = |line: &&str| {
            [(gone_source, gone), (bad_source, bad)]
                .iter()
                .any(|(source, instance)| names_instance(line, source, instance))
        };
        assert!(errors.iter().all(names_a_failed_one), "{errors:#?}");
        assert!(!ended.output.contains(WRONG), "{}", ended.output);

        twelve.handler.environment = right;
        twelve.handler.poll_well().await;
        twelve.assert_delivered(|_, _| true);
    }
}
