//! The least that a streaming function can be: what the endpoint's cold start is measured against.

use lambda_http::{Body, Error, Request, Response, run_with_streaming_response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = |_: Request| async { Ok::<_, Error>(Response::new(Body::from("hello"))) };
    run_with_streaming_response(service_fn(hello)).await
}
