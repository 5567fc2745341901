//! The service's errors, for people and for decisions.

use std::error::Error;
use std::iter::successors;

use crate::state::store::Expected;

/// The object is not there. A missing container is something else: it answers 404 as well, and is no empty store.
pub fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && !is_container_missing(error)
}

/// Somebody else wrote in the meantime, or this write was repeated on the way.
pub fn conflicts(error: &object_store::Error, expected: &Expected) -> bool {
    match (error, expected) {
        (_, Expected::Anything) => false,
        (object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }, _) => true,
        // An update of an object that is gone.
        (object_store::Error::NotFound { .. }, Expected::Version(_)) => !is_container_missing(error),
        _ => false,
    }
}

/// True if another access token may help.
pub fn is_unauthenticated(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Unauthenticated { .. })
}

/// What failed and what to do, in one line.
pub fn explain(error: &object_store::Error) -> String {
    if is_container_missing(error) {
        return "the container does not exist; create it (the deployment template does), the handler makes none"
            .to_owned();
    }
    match error {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => format!(
            "access is denied ({}); give the handler's identity the role Storage Blob Data Owner (or Contributor) on the \
             storage account, and let its network reach it",
            words(error)
        ),
        _ => words(error),
    }
}

fn is_container_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && texts(error).any(|text| text.contains("ContainerNotFound"))
}

/// The innermost cause says most. One short line: the service answers in XML of many.
fn words(error: &object_store::Error) -> String {
    let text = texts(error).last().unwrap_or_default();
    let line: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(400)
        .collect();
    line.trim().to_owned()
}

/// Of the error and its causes, the innermost last.
fn texts(error: &object_store::Error) -> impl Iterator<Item = String> {
    let errors = successors(Some(error as &dyn Error), |error| (*error).source());
    errors.map(|error| error.to_string())
}
