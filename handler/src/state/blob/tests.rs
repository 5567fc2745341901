use super::*;
use crate::state::leases::{Holder, LeaseAttempt, Leases};
use crate::time::VirtualClock;

fn store(objects: &Arc<dyn ObjectStore>) -> BlobStore {
    let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
    BlobStore::new(objects.clone(), "memory", clock, None)
}

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(object_store::memory::InMemory::new())
}

fn holder(who: &str) -> Holder {
    Holder {
        who: who.to_owned(),
        yields: false,
    }
}

async fn taken(store: &BlobStore) -> crate::state::Lease {
    match store.try_lease("account", &holder("a")).await.unwrap() {
        LeaseAttempt::Taken(lease) => lease,
        LeaseAttempt::Held(held) => panic!("{held}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_conditional_write_happens_only_over_the_expected_version() {
    let store = store(&memory());
    let key = Key::new(["checkpoints", "a.json"]);
    let first = store.write(&key, b"1".to_vec(), Expected::Absent).await.unwrap();
    assert!(matches!(
        store.write(&key, b"x".to_vec(), Expected::Absent).await,
        Err(StoreError::Conflict { .. })
    ));
    let second = store
        .write(&key, b"2".to_vec(), Expected::Version(first.clone()))
        .await
        .unwrap();
    assert!(matches!(
        store.write(&key, b"3".to_vec(), Expected::Version(first.clone())).await,
        Err(StoreError::Conflict { .. })
    ));
    let read = store.read(&key).await.unwrap().unwrap();
    assert_eq!((read.bytes.as_slice(), &read.version), (&b"2"[..], &second));
    // The answer to our own write was lost: what stands there is ours.
    assert_eq!(
        store
            .write(&key, b"2".to_vec(), Expected::Version(first))
            .await
            .unwrap(),
        second
    );
}

#[tokio::test(start_paused = true)]
async fn objects_are_listed_in_order_below_their_folder_and_removed_without_complaint() {
    let store = store(&memory());
    for name in ["x/b", "x/a/c", "x/a/b", "xy"] {
        store
            .write(&Key::new(name.split('/')), Vec::new(), Expected::Anything)
            .await
            .unwrap();
    }
    let listed = store.list(&Key::new(["x"])).await.unwrap();
    let names: Vec<_> = listed.iter().map(|listed| listed.key.as_str()).collect();
    assert_eq!(names, ["x/a/b", "x/a/c", "x/b"]);
    for _ in 0..2 {
        store.remove(&Key::new(["x", "b"])).await.unwrap();
    }
    assert!(store.read(&Key::new(["x", "b"])).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_lease_has_one_holder_is_renewed_while_it_works_and_free_when_it_is_given_back() {
    let objects = memory();
    let store = store(&objects);
    let first = taken(&store).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(!first.is_lost());
    let LeaseAttempt::Held(held) = store.try_lease("account", &holder("b")).await.unwrap() else {
        panic!("a held lease was given again");
    };
    assert_eq!(held.who, "a");
    let fence = first.fence;
    first.release().await;
    assert_eq!(taken(&store).await.fence, fence + 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_holders_lease_is_free_within_thirty_seconds_and_not_while_it_may_still_work() {
    let objects = memory();
    let store = store(&objects);
    let dead = taken(&store).await;
    // Dropped without being given back, as by a kill.
    let guarded = dead.guard(Arc::new(store.clone()));
    drop(dead);
    tokio::time::advance(LEASE_TIME_AND_A_LITTLE).await;
    assert!(matches!(
        store.try_lease("account", &holder("b")).await.unwrap(),
        LeaseAttempt::Held(_)
    ));
    let late = guarded.write(&Key::new(["a"]), Vec::new(), Expected::Anything).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    tokio::time::advance(Duration::from_secs(30) - LEASE_TIME_AND_A_LITTLE).await;
    taken(&store).await;
}

const LEASE_TIME_AND_A_LITTLE: Duration = Duration::from_millis(24_100);

#[tokio::test(start_paused = true)]
async fn a_holder_that_was_overtaken_finds_out_and_gives_nothing_back() {
    let objects = memory();
    let store = store(&objects);
    let first = taken(&store).await;
    store.remove(&Key::new(["leases", "account.json"])).await.unwrap();
    let second = taken(&store).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(first.is_lost());
    first.release().await;
    assert!(!second.is_lost());
    assert!(matches!(
        store.try_lease("account", &holder("b")).await.unwrap(),
        LeaseAttempt::Held(_)
    ));
}
