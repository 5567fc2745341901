//! The state of an earlier deployment, which lay in the host's own storage account: it is not read where `STATE_URL` names
//! another place.

use std::sync::Arc;

use super::finding::{Finding, Severity};
use crate::app::runtime::Runtime;
use crate::app::runtime_provider::RuntimeProvider;
use crate::app::settings::Settings;
use crate::state::{StateLocation, Store, StoreError, holds_state};

/// A line where the state is empty and that of an earlier deployment is not. Where the old container cannot be looked at,
/// nothing is said: most deployments have none.
pub async fn probe(provider: RuntimeProvider, settings: Arc<Settings>, runtime: Arc<Runtime>) -> Vec<Finding> {
    let (Some(former), StateLocation::Blob(present)) = (&settings.former_state, &settings.state) else {
        return Vec::new();
    };
    let Ok(store) = provider.store_at(&StateLocation::Blob(former.clone())) else {
        return Vec::new();
    };
    if !is_left_behind(&*runtime.context.store, &*store).await.unwrap_or(false) {
        return Vec::new();
    }
    let text = format!(
        "nothing is stored in {present}, and an earlier deployment left its state in {former}: streams would begin anew at \
         POLL_LOOKBACK, and what waits there would stay. Stop the function app, copy it with AZCOPY_AUTO_LOGIN_TYPE=AZCLI azcopy \
         copy --recursive '{former}/*' '{present}', then start the app"
    );
    vec![Finding::new(
        Severity::Attention,
        "state of an earlier deployment",
        text,
    )]
}

async fn is_left_behind(present: &dyn Store, former: &dyn Store) -> Result<bool, StoreError> {
    Ok(!holds_state(present).await? && holds_state(former).await?)
}
