//! What an identity provider publishes: its keys, its endpoints.

/// Largest document, in bytes: usual ones have a few KB.
const MAX: usize = 256 * 1024;

/// The document at `url`.
///
/// # Errors
/// The cause, for the log: without the URL, which may hold a secret, and without anything of the response.
pub(super) async fn read(client: reqwest::Client, url: String) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| match error {
        error if error.is_redirect() => "its redirect is not followed".to_owned(),
        error => error.without_url().to_string(),
    };
    let mut response = client.get(url).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("the status is {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > MAX {
            return Err(format!("there are more than {MAX} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
