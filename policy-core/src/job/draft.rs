//! Pods made from the Job's template: the template as it is, with what the Job adds laid over it.

use super::create::PodCreate;
use crate::spec::{
    JOB_COMPLETION_INDEX, JOB_INDEX_FAILURE_COUNT, JOB_INDEX_IGNORED_FAILURE_COUNT, JOB_TRACKING_FINALIZER,
    Job, OwnerReference,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Map, Value, json};

/// The environment variable with a Pod's index (upstream `completionIndexEnvName`).
const COMPLETION_INDEX_ENV: &str = "JOB_COMPLETION_INDEX";
/// The longest prefix of a generated name (upstream `names.MaxGeneratedNameLength`).
const MAX_GENERATED_NAME_LENGTH: usize = 58;
/// The longest prefix `NAME-` that is still a valid Pod name.
const MAX_POD_NAME_LENGTH: usize = 253;

/// The template of a Job, prepared once; [`PodDraft::template`] and [`PodDraft::pod`] fill in what differs.
///
/// ```
/// use policy_core::job::{PodCreate, PodDraft};
/// let job = serde_json::from_str(r#"{"metadata":{"name":"j"},"spec":{"completionMode":"Indexed",
///     "template":{"spec":{"containers":[{"name":"c"}]}}}}"#).unwrap();
/// let draft = PodDraft::new(&job);
/// let create = PodCreate { index: Some(3), ..PodCreate::default() };
/// assert_eq!(draft.generate_name(&create), "j-3-");
/// assert_eq!(draft.template(&create)["spec"]["hostname"], "j-3");
/// ```
#[derive(Clone, Debug)]
pub struct PodDraft {
    job_name: String,
    owner: OwnerReference,
    template: Map<String, Value>,
}

impl PodDraft {
    /// Prepares the template: the finalizer, and for an Indexed Job the environment variable with the index.
    pub fn new(job: &Job) -> Self {
        // The template was read as JSON before; what is not an object has nothing to keep.
        let mut template: Map<String, Value> =
            serde_json::from_str(job.spec.template.json()).unwrap_or_default();
        if job.spec.is_indexed() {
            for list in ["initContainers", "containers"] {
                let containers = template.get_mut("spec").and_then(|spec| spec.get_mut(list));
                let containers = containers.and_then(Value::as_array_mut).into_iter().flatten();
                containers.filter_map(Value::as_object_mut).for_each(add_completion_index_env);
            }
        }
        let finalizers = object(&mut template, "metadata").and_then(|metadata| array(metadata, "finalizers"));
        if let Some(finalizers) = finalizers.filter(|list| !list.iter().any(|f| f == JOB_TRACKING_FINALIZER))
        {
            finalizers.push(JOB_TRACKING_FINALIZER.into());
        }
        let owner = OwnerReference::controlled_by("batch/v1", "Job", &job.metadata);
        PodDraft { job_name: job.metadata.name.clone(), owner, template }
    }

    /// Whether a draft of the one Job is a draft of the other.
    pub(crate) fn is_same(one: &Job, other: &Job) -> bool {
        (&one.metadata.name, &one.metadata.uid) == (&other.metadata.name, &other.metadata.uid)
            && one.spec.is_indexed() == other.spec.is_indexed()
            && one.spec.template.json() == other.spec.template.json()
    }

    /// The prefix of the Pod's name. An Indexed Pod's is cut so that its index stays (upstream
    /// `podGenerateNameWithIndex`).
    pub fn generate_name(&self, create: &PodCreate) -> String {
        let name = &self.job_name;
        let Some(index) = create.index else {
            let fits = name.len() < MAX_POD_NAME_LENGTH;
            return if fits { format!("{name}-") } else { name.clone() };
        };
        let suffix = format!("-{index}-");
        let longest = MAX_GENERATED_NAME_LENGTH.saturating_sub(suffix.len());
        let cut = name.len().saturating_add(suffix.len()) > MAX_GENERATED_NAME_LENGTH;
        // Go cuts bytes; names are ASCII, and what is not is cut before the character.
        let end = (0..=longest.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        let prefix = if cut { name.get(..end).unwrap_or_default() } else { name };
        format!("{prefix}{suffix}")
    }

    /// The Pod template as upstream hands it to Pod creation: labels, annotations, finalizers, spec.
    pub fn template(&self, create: &PodCreate) -> Value {
        let mut template = self.template.clone();
        if let Some(index) = create.index {
            let text = index.to_string();
            let failures = create.index_failures;
            let counted = failures.map(|f| (JOB_INDEX_FAILURE_COUNT, f.counted.to_string()));
            let ignored = failures.filter(|f| f.ignored > 0);
            let ignored = ignored.map(|f| (JOB_INDEX_IGNORED_FAILURE_COUNT, f.ignored.to_string()));
            let annotations = [Some((JOB_COMPLETION_INDEX, text.clone())), counted, ignored];
            if let Some(metadata) = object(&mut template, "metadata") {
                set(metadata, "annotations", annotations.into_iter().flatten());
                set(metadata, "labels", [(JOB_COMPLETION_INDEX, text)]);
            }
            set(&mut template, "spec", [("hostname", format!("{}-{index}", self.job_name))]);
        }
        Value::Object(template)
    }

    /// The whole Pod to send to the API server (upstream `GetPodFromTemplate`).
    pub fn pod(&self, create: &PodCreate) -> Value {
        let template = self.template(create);
        let from_template = |field: &str| template.pointer(&format!("/metadata/{field}")).cloned();
        let mut metadata = Map::new();
        for field in ["labels", "annotations", "finalizers"] {
            if let Some(value) = from_template(field) {
                metadata.insert(field.into(), value);
            }
        }
        metadata.insert("generateName".into(), self.generate_name(create).into());
        metadata.insert("ownerReferences".into(), json!([self.owner]));
        let spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    }
}

/// Upstream `addCompletionIndexEnvVariable`: reads the label, unless the container has a variable of that name.
fn add_completion_index_env(container: &mut Map<String, Value>) {
    let Some(env) = array(container, "env") else { return };
    if !env.iter().any(|variable| variable.get("name").is_some_and(|name| name == COMPLETION_INDEX_ENV)) {
        let field_path = format!("metadata.labels['{JOB_COMPLETION_INDEX}']");
        env.push(json!({"name": COMPLETION_INDEX_ENV, "valueFrom": {"fieldRef": {"fieldPath": field_path}}}));
    }
}

/// Sets entries of the object under `key`.
fn set<'e>(map: &mut Map<String, Value>, key: &str, entries: impl IntoIterator<Item = (&'e str, String)>) {
    if let Some(object) = object(map, key) {
        object.extend(entries.into_iter().map(|(name, value)| (name.to_string(), Value::String(value))));
    }
}

/// The object under `key`; what is not one is replaced, null among them.
fn object<'m>(map: &'m mut Map<String, Value>, key: &str) -> Option<&'m mut Map<String, Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// The list under `key`; what is not one is replaced, null among them.
fn array<'m>(map: &'m mut Map<String, Value>, key: &str) -> Option<&'m mut Vec<Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::IndexFailures;

    fn draft(name: &str, template: Value) -> PodDraft {
        let job =
            json!({"metadata": {"name": name}, "spec": {"completionMode": "Indexed", "template": template}});
        PodDraft::new(&serde_json::from_str(&job.to_string()).unwrap())
    }

    #[test]
    fn generated_names_are_cut_so_that_the_index_stays() {
        let draft = draft(&"n".repeat(63), json!({}));
        let create = PodCreate { index: Some(12345), ..PodCreate::default() };
        let name = draft.generate_name(&create);
        assert_eq!(name.len(), 58);
        assert!(name.ends_with("n-12345-"), "{name}");
        assert_eq!(draft.template(&create)["spec"]["hostname"].as_str().unwrap().len(), 63 + 6);
    }

    #[test]
    fn a_variable_of_the_users_own_is_kept() {
        let own = json!([{"name": COMPLETION_INDEX_ENV, "value": "x"}]);
        let draft =
            draft("j", json!({"spec": {"initContainers": [{"env": null}], "containers": [{"env": own}]}}));
        let spec = &draft.template(&PodCreate::default())["spec"];
        assert_eq!(spec["containers"][0]["env"], own);
        assert_eq!(spec["initContainers"][0]["env"][0]["name"], COMPLETION_INDEX_ENV);
    }

    #[test]
    fn failures_of_the_index_are_carried_on() {
        let failures = IndexFailures { counted: 2, ignored: 0 };
        let create = PodCreate { index: Some(1), index_failures: Some(failures) };
        let pod =
            draft("j", json!({"metadata": {"annotations": {"note": "x"}}, "x-unknown": 1})).pod(&create);
        assert_eq!(
            pod["metadata"]["annotations"],
            json!({"note": "x", JOB_COMPLETION_INDEX: "1", JOB_INDEX_FAILURE_COUNT: "2"})
        );
        assert_eq!(pod["metadata"]["ownerReferences"][0]["controller"], true);
    }
}
