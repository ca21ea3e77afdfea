//! A request's query.

use std::collections::HashMap;

use axum::http::Uri;
use url::form_urlencoded;

use crate::error::Error;

/// The parameters of a query by name; of one that is there twice, the last.
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(query.into_owned().collect())
    }

    /// A parameter. One that is blank is not set, as in a body: no-code tools send all their fields.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    }

    /// `limit`: how many things a page has at most, up to `most`; 20 unless the query says so.
    ///
    /// # Errors
    /// A 400 for what is no such number.
    pub(crate) fn limit(&self, most: i32) -> Result<i32, Error> {
        const USUAL: i32 = 20;
        let Some(limit) = self.get("limit") else {
            return Ok(USUAL);
        };
        let limit = limit.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| Error::invalid("limit", format!("'limit' must be a number from 1 to {most}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_parameter_is_not_set() {
        for (query, after, limit) in [
            ("", None, Some(20)),
            ("?limit=&after=", None, Some(20)),
            ("?limit=%20&after=+", None, Some(20)),
            ("?limit=5&after=x", Some("x"), Some(5)),
            ("?limit=0&after=x&after=", None, None),
        ] {
            let query = Query::of(&format!("/assistants{query}").parse().unwrap());
            assert_eq!((query.get("after"), query.limit(100).ok()), (after, limit));
        }
    }
}
