//! Whether what no column takes is delivered, of the source and of an instance.

use super::*;

const BOTH: [Pair; 2] = [
    ("PINGONE__PUSH_TOKEN", TOKEN),
    ("PINGONE__ACME__PUSH_TOKEN", OTHER_TOKEN),
];

#[test]
fn the_setting_of_the_instance_counts_before_that_of_its_source() {
    let of_source = |value| ("PINGONE__ADDITIONAL_FIELDS", value);
    let of_acme = |value| ("PINGONE__ACME__ADDITIONAL_FIELDS", value);
    for (pairs, expected) in [
        (vec![], [true, true]),
        (vec![of_source("false")], [false, false]),
        (vec![of_acme("FALSE")], [true, false]),
        (vec![of_source("false"), of_acme("true")], [false, true]),
    ] {
        let settings = load(&[&BOTH, &pairs]);
        let found: Vec<bool> = settings
            .of::<PingOne>()
            .iter()
            .map(|one| one.additional_fields)
            .collect();
        assert_eq!(found, expected, "{pairs:?}");
    }
}

#[test]
fn a_bad_value_of_the_source_disables_the_instances_that_have_none_of_their_own() {
    let bad = [("PINGONE__ADDITIONAL_FIELDS", "perhaps")];
    let own = [("PINGONE__ACME__ADDITIONAL_FIELDS", "true")];
    let problems = try_load(&[&BOTH, &bad]).unwrap_err().to_string();
    assert!(
        problems.contains("PINGONE__ADDITIONAL_FIELDS: must be true or false"),
        "{problems}"
    );
    let settings = load(&[&BOTH, &bad, &own]);
    let running: Vec<&str> = settings
        .of::<PingOne>()
        .iter()
        .map(|one| one.instance.as_str())
        .collect();
    assert_eq!(running, ["acme"]);
}
