use crate::settings::IngestionRule;

/// What a person can do about a final status.
pub fn remedy(status: u16, rule: &IngestionRule, table: &str) -> String {
    let IngestionRule {
        rule_id,
        rule_setting,
        endpoint_setting,
        ..
    } = rule;
    match status {
        400 => format!(
            "a row does not fit the rule's stream Custom-{table}; compare the stream's columns with the table's, nothing was stored"
        ),
        401 => {
            "the identity's token is refused; check LOGS_INGESTION__AUDIENCE, which must be that of the rule's cloud"
                .to_owned()
        }
        403 => format!(
            "give the handler's identity the role Monitoring Metrics Publisher on the data collection rule {rule_id} \
             ({rule_setting}); a new role assignment can take 30 minutes to count. The rows are kept"
        ),
        404 => format!(
            "there is no rule {rule_id} ({rule_setting}) with a stream Custom-{table} at this endpoint; check \
             {rule_setting} (the immutable id, dcr-...) and {endpoint_setting}. The rows are kept"
        ),
        413 => {
            "the service takes less in one call than it documents; if this lasts, report it with this line".to_owned()
        }
        300..=399 => format!("redirects are not followed; check {endpoint_setting}"),
        _ => "the call was refused; if this lasts, report it with this line. The rows are kept".to_owned(),
    }
}
