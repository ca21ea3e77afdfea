//! The management function's cold start.

use std::{process::ExitCode, sync::Arc};

use assistant_endpoint::{
    config::ManageConfig,
    http::finish,
    manage::{Manage, routes},
    startup,
};
use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    startup::function("manage", Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = ManageConfig::from_env()?;
    startup::check_surroundings()?;
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let manage = Manage::new(&config, &aws).await?;
    manage.store.warm_up().await;
    startup::serve(finish(routes(Arc::new(manage)), config.way_in)).await
}
