use serde_json::json;

use super::*;
use crate::guard::hostile::urls;

#[test]
fn a_hostile_base_url_is_a_problem_under_either_key() {
    let mut count = 0;
    for url in urls(443) {
        for key in ["base_url", "type==agent/base_url"] {
            let config = json!({"configurable": {"model": "gpt-4o", key: url}});
            let (keys, _) = Keys::of(config["configurable"].as_object());
            let problems = problems(&config, &config, keys, &Rules::default());
            let is_refused = !problems.is_empty() && problems.iter().all(|problem| problem.param == path(key));
            assert!(is_refused, "{url:?}");
        }
        count += 1;
    }
    assert!(count >= 138, "{count}");
}
