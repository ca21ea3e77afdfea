//! The management function's cold start.

use std::{process::ExitCode, sync::Arc};

use assistant_endpoint::{
    config::ManageConfig,
    manage::{Manage, router},
    startup,
};
use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    startup::log_json();
    startup::abort_on_panic();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manage: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = ManageConfig::from_env()?;
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let manage = Manage::new(&config, &aws).await?;
    manage.store.warm_up().await;
    startup::serve(router(Arc::new(manage))).await
}
