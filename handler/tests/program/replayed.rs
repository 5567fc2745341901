//! Dead letters sent again, and a kill in the middle of it.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::logs_ingestion::IngestionFault;

use crate::harness::*;
use crate::ingestion::Azure;

/// A file of letters whose rows were refused, several to a call.
fn set_aside(handler: &Handler, count: u64) {
    let folder = handler.path("data/state/dead-letters/onelogin/default/push");
    std::fs::create_dir_all(&folder).unwrap();
    let lines: Vec<String> = (0..count)
        .map(|number| {
            let row = json!({"TimeGenerated": "2026-11-20T10:15:30Z", "user_id_d": number, "notes_s": "x".repeat(60_000)});
            let letter = json!({"version": 1, "at": "2026-11-20T10:16:00.000Z", "source": "onelogin", "instance": "default",
                "stream": "push", "reason": "refused", "table": ONELOGIN, "row": row});
            format!("{letter}\n")
        })
        .collect();
    std::fs::write(folder.join("letters.ndjson"), lines.concat()).unwrap();
}

fn users(rows: &[Value]) -> Vec<u64> {
    let mut users: Vec<u64> = rows.iter().map(|row| row["user_id_d"].as_u64().unwrap()).collect();
    users.sort_unstable();
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_killed_repeats_the_batch_in_flight_and_none_before_it() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    set_aside(&handler, 60);
    let (at_once, late) = (
        IngestionFault::Delay(Duration::ZERO),
        IngestionFault::Delay(Duration::from_secs(60)),
    );
    azure.ingestion.fail_next([at_once.clone(), at_once, late]);
    let mut child = handler.command(&["replay", "--dead-letters"]).spawn().unwrap();
    until("the third call is on its way", || azure.ingestion.waiting_faults() == 0).await;
    child.kill().await.unwrap();
    let calls = azure.ingestion.calls();
    let answered: usize = calls.iter().take(2).map(|call| call.rows).sum();
    let answered = users(&azure.ingestion.rows(ONELOGIN)[..answered]);

    let ended = handler.run(&["replay", "--dead-letters"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let all = users(&azure.ingestion.rows(ONELOGIN));
    for number in 0..60 {
        let times = all.iter().filter(|user| **user == number).count();
        let most = if answered.contains(&number) { 1 } else { 2 };
        assert!((1..=most).contains(&times), "{number} came {times} times");
    }
    assert!(handler.dead_letters().is_empty());
    assert!(
        azure.ingestion.calls().len() < 12,
        "{} calls for 60 letters",
        azure.ingestion.calls().len()
    );
}
