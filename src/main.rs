//! The public function's cold start.

use std::{process::ExitCode, sync::Arc};

use assistant_endpoint::{
    config::Config,
    http::finish,
    public::{App, routes},
    startup,
    upstream::role::ServiceRole,
};
use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    startup::function("endpoint", Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_env()?;
    startup::check_surroundings()?;
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let app = Arc::new(App::new(&config, &aws, ServiceRole::new(&aws))?);
    app.store.warm_up().await;
    startup::serve(finish(routes(app), config.way_in)).await
}
