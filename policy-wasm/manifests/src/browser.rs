//! The functions that JavaScript sees: bytes in, bytes out.

// wasm-bindgen exports what is `pub`, reachable or not.
#![allow(unreachable_pub)]

use policy_core::Timestamp;
use policy_sim::config::Config;
use policy_wasm::{Answer, Code, Problem, read, written};
use policy_zones::TzDatabase;
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;

/// A text to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    text: String,
    #[serde(default)]
    from: Option<Timestamp>,
}

impl Request {
    fn from(&self) -> Timestamp {
        self.from.unwrap_or_else(|| Config::default().start)
    }
}

/// See manifests.d.ts.
#[wasm_bindgen(js_name = installZones)]
pub fn install_zones(data: &[u8]) -> bool {
    TzDatabase::shared().install(data).is_ok()
}

/// See manifests.d.ts.
#[wasm_bindgen]
pub fn manifests(text: &[u8]) -> Vec<u8> {
    written(&utf8(text).and_then(crate::manifests))
}

/// See manifests.d.ts.
#[wasm_bindgen]
pub fn check(request: &[u8]) -> Vec<u8> {
    written(&read::<Request>(request).map(|request| crate::check(&request.text, request.from())))
}

/// See manifests.d.ts.
#[wasm_bindgen]
pub fn lint(request: &[u8]) -> Vec<u8> {
    written(&read::<Request>(request).and_then(|request| crate::lint(&request.text, request.from())))
}

/// See manifests.d.ts.
#[wasm_bindgen(js_name = worstCase)]
pub fn worst_case(request: &[u8]) -> Vec<u8> {
    written(&read(request).and_then(|request| crate::worst_case(&request)))
}

/// See manifests.d.ts.
#[wasm_bindgen]
pub fn expand(request: &[u8]) -> Vec<u8> {
    written(&read(request).and_then(crate::expand))
}

/// See manifests.d.ts.
#[wasm_bindgen(js_name = toYaml)]
pub fn to_yaml(value: &[u8]) -> Vec<u8> {
    written(&read::<Value>(value).map(|value| crate::to_yaml(&value)))
}

fn utf8(text: &[u8]) -> Answer<&str> {
    let refused = |error| vec![Problem::new(Code::MalformedYaml, format!("not UTF-8: {error}"))];
    std::str::from_utf8(text).map_err(refused)
}
