//! Queries over the health table: several deployments may fill it, and none may hide another's silence.

use super::binder::Query;
use super::shape::words;

const TABLE: &str = "SentinelConnectorHealth_CL";
/// The column that names the deployment.
const APP: &str = "App";
/// The columns that tell two streams of one deployment apart.
const OF_A_STREAM: [&str; 3] = ["Source", "Instance", "Stream"];

/// Groups and joins, and orders where they matter, that put streams of two deployments together.
pub fn problems(query: &Query) -> Vec<String> {
    if !words(&query.text).any(|word| word == TABLE) {
        return Vec::new();
    }
    // An order matters to what compares a row with the one before it.
    let ordered = query.text.contains("prev(");
    let lines = query.text.lines().map(str::trim_start);
    let lines = lines.filter(|line| ordered || !line.starts_with("| sort by "));
    let lists = lines.flat_map(|line| {
        let after_by = line.strip_prefix("by ").into_iter().chain(line.split(" by ").skip(1));
        after_by.chain(line.split(" on ").skip(1))
    });
    let merged = lists.filter(|list| {
        let names = |wanted: &str| words(list).any(|word| word == wanted);
        OF_A_STREAM.into_iter().any(names) && !names(APP)
    });
    merged
        .map(|list| format!("{}: \"{list}\" puts the streams of several apps together", query.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> usize {
        problems(&Query::new("it", text)).len()
    }

    #[test]
    fn a_group_without_the_app_is_told() {
        let over = |rest: &str| format!("{TABLE}\n{rest}");
        assert_eq!(told(&over("| summarize count() by App, Source, Stream")), 0);
        assert_eq!(told(&over("| summarize count() by Status")), 0);
        assert_eq!(told("Other_CL | summarize count() by Source"), 0);
        assert_eq!(told(&over("| summarize\n    count()\n    by Source, Instance")), 1);
        assert_eq!(told(&over("| summarize count() by Key = strcat(Source, Stream)")), 1);
        assert_eq!(told(&over("| join kind=inner other on Stream")), 1);
        assert_eq!(told(&over("| sort by Stream asc")), 0);
        assert_eq!(told(&over("| sort by Stream asc\n| extend Last = prev(Stream)")), 1);
    }
}
