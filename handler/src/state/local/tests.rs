use super::*;
use crate::time::SystemClock;

fn store(folder: &tempfile::TempDir) -> LocalStore {
    LocalStore::open(folder.path().join("state"), Arc::new(SystemClock)).unwrap()
}

fn holder(who: &str) -> Holder {
    Holder {
        who: who.to_owned(),
        yields: false,
    }
}

#[tokio::test]
async fn a_conditional_write_happens_only_over_the_expected_version() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let key = Key::new(["checkpoints", "a.json"]);
    let first = store.write(&key, b"1".to_vec(), Expected::Absent).await.unwrap();
    for expected in [Expected::Absent, Expected::Version(Version("other".to_owned()))] {
        let refused = store.write(&key, b"x".to_vec(), expected).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    }
    let second = store
        .write(&key, b"2".to_vec(), Expected::Version(first.clone()))
        .await
        .unwrap();
    assert!(matches!(
        store.write(&key, b"3".to_vec(), Expected::Version(first)).await,
        Err(StoreError::Conflict { .. })
    ));
    let read = store.read(&key).await.unwrap().unwrap();
    assert_eq!((read.bytes.as_slice(), read.version), (&b"2"[..], second));
}

#[tokio::test]
async fn objects_are_listed_in_order_and_removed_without_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    for name in ["b", "a/c", "a/b"] {
        let key = Key::new(["x"].into_iter().chain(name.split('/')));
        store.write(&key, Vec::new(), Expected::Anything).await.unwrap();
    }
    let names: Vec<_> = store
        .list(&Key::new(["x"]))
        .await
        .unwrap()
        .iter()
        .map(|listed| listed.key.to_string())
        .collect();
    assert_eq!(names, ["x/a/b", "x/a/c", "x/b"]);
    for _ in 0..2 {
        store.remove(&Key::new(["x", "b"])).await.unwrap();
    }
    assert!(store.read(&Key::new(["x", "b"])).await.unwrap().is_none());
    assert!(store.list(&Key::new(["absent"])).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_number_grows() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (store(&folder), store(&folder));
    let LeaseAttempt::Taken(first) = one.try_lease("pingone-e1", &holder("poll (process 1)")).await.unwrap() else {
        panic!("a free lease was not given");
    };
    let LeaseAttempt::Held(held) = other
        .try_lease("pingone-e1", &holder("serve (process 2)"))
        .await
        .unwrap()
    else {
        panic!("a held lease was given again");
    };
    assert_eq!(held.who, "poll (process 1)");
    assert!(held.until.is_some());
    assert!(matches!(
        other.try_lease("pingone-e2", &holder("x")).await.unwrap(),
        LeaseAttempt::Taken(_)
    ));

    let fence = first.fence;
    drop(first);
    let LeaseAttempt::Taken(second) = other
        .try_lease("pingone-e1", &holder("serve (process 2)"))
        .await
        .unwrap()
    else {
        panic!("a lease that was given back was not given");
    };
    assert!(second.fence > fence);
}

#[tokio::test]
async fn a_directory_that_is_deleted_under_a_running_process_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let key = Key::new(["checkpoints", "a.json"]);
    store.write(&key, b"1".to_vec(), Expected::Absent).await.unwrap();
    for _ in 0..2 {
        std::fs::remove_dir_all(folder.path().join("state")).unwrap();
        assert!(store.read(&key).await.unwrap().is_none());
        assert!(store.list(&Key::new(["checkpoints"])).await.unwrap().is_empty());
        store.write(&key, b"2".to_vec(), Expected::Absent).await.unwrap();

        std::fs::remove_dir_all(folder.path().join("state")).unwrap();
        let attempt = store.try_lease("pingone-e1", &holder("serve")).await.unwrap();
        assert!(matches!(attempt, LeaseAttempt::Taken(_)), "{attempt:?}");
    }
}
