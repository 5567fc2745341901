//! Queries that the documentation shows.

use super::binder::Query;

/// Every block of KQL of a page, named by the page and its number.
pub fn queries(page: &str, text: &str) -> Vec<Query> {
    let blocks = text.split("```kusto\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split_once("```").map(|(query, _)| query));
    blocks
        .enumerate()
        .map(|(index, query)| Query::new(&format!("{page}, query {}", index + 1), query.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_a_query() {
        let page = "text\n```kusto\nA | take 1\n```\n```\nno query\n```\n```kusto\nB\n```\n";
        let found = queries("page", page);
        let found: Vec<_> = found
            .iter()
            .map(|query| (query.name.as_str(), query.text.as_str()))
            .collect();
        assert_eq!(found, [("page, query 1", "A | take 1"), ("page, query 2", "B")]);
    }
}
