//! Azurite with one empty container, to try the handler by hand with its state there: `STATE_URL` is what it prints.
//! It ends with this process, whichever way that ends.

use std::io::Write;

use simulator::azurite::{Azurite, AzuriteOptions};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let azurite = Azurite::start(AzuriteOptions::default());
    azurite.create_container("state").await;
    let process = azurite.process_id().unwrap_or_default();
    let mut output = std::io::stdout();
    writeln!(output, "process {process}")?;
    writeln!(output, "STATE_URL={}", azurite.state_url("state"))?;
    output.flush()?;
    tokio::signal::ctrl_c().await
}
