//! What the API server makes of a manifest before it stores it: defaults, validation, identity.

use super::{ApiError, Kind, NewPod, Object, ObjectKey, Other, Store, create_pod};
use crate::object::{Pod, PodBase};
use crate::typed::typed;
use crate::zones::TzDatabase;
use policy_core::Timestamp;
use policy_core::spec::validation::{CreateContext, Review, Rules, validate_create};
use policy_core::spec::{CronJob, Job, ObjectMeta, OwnerReference};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The namespace of objects that do not say.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// What was created.
#[derive(Clone, Debug)]
pub(crate) enum Created {
    Object(Object),
    Pod(Arc<Pod>),
}

/// The rules of validation in this cluster.
pub(super) fn with_rules<T>(act: impl FnOnce(&Rules<'_>) -> T) -> T {
    act(&Rules { time_zones: TzDatabase::shared(), allow_privileged: true })
}

/// A value as the text that validation reads.
pub(super) fn raw(value: &impl Serialize) -> Result<Box<RawValue>, ApiError> {
    serde_json::value::to_raw_value(value)
        .map_err(|error| ApiError::bad_request(format!("the object cannot be written: {error}")))
}

/// Why a manifest is refused, if it is.
pub(super) fn refusal(review: &Review<'_>, kind: &Kind, name: &str) -> Option<ApiError> {
    if let Some(error) = review.decode_error.as_deref().or(review.strict_errors.as_deref()) {
        return Some(cannot_be_handled(kind, error));
    }
    let errors: Vec<String> = review.errors.iter().map(ToString::to_string).collect();
    (!errors.is_empty()).then(|| ApiError::invalid(&kind.with_group(), name, &errors))
}

fn cannot_be_handled(kind: &Kind, why: &str) -> ApiError {
    let kind = kind.as_str();
    ApiError::bad_request(format!("{kind} in version \"v1\" cannot be handled as a {kind}: {why}"))
}

/// The object that validation made, or why it refused.
pub(super) fn accepted<T: for<'de> Deserialize<'de>>(
    review: Review<'_>,
    kind: &Kind,
    name: &str,
) -> Result<T, ApiError> {
    if let Some(error) = refusal(&review, kind, name) {
        return Err(error);
    }
    let Some(object) = review.defaulted else { return Err(cannot_be_handled(kind, "nothing is left of it")) };
    // Through text, because parts of a Job are kept as raw JSON.
    let read = serde_json::to_string(&object).and_then(|text| serde_json::from_str(&text));
    read.map_err(|error| cannot_be_handled(kind, &error.to_string()))
}

impl Store {
    /// Creates the object of a manifest.
    ///
    /// # Errors
    /// The API server's, for a manifest that it would refuse.
    pub(crate) fn create(&mut self, manifest: &Value, now: Timestamp) -> Result<Created, ApiError> {
        let Some(kind) = manifest["kind"].as_str().filter(|kind| !kind.is_empty()) else {
            return Err(ApiError::bad_request("Object 'Kind' is missing"));
        };
        match Kind::parse(kind) {
            kind @ (Kind::Job | Kind::CronJob) => {
                self.create_batch(&kind, manifest, now).map(Created::Object)
            }
            Kind::Pod => self.create_bare_pod(manifest, now).map(Created::Pod),
            kind @ Kind::Other(_) => self.create_other(&kind, manifest, now).map(Created::Object),
        }
    }

    fn create_batch(&mut self, kind: &Kind, manifest: &Value, now: Timestamp) -> Result<Object, ApiError> {
        let metadata = &manifest["metadata"];
        let namespace = text(metadata, "namespace").unwrap_or(DEFAULT_NAMESPACE);
        self.limits.take_rate(&kind.resource(), now)?;
        let (uid, name_suffix) = (self.identities.uid(), self.identities.suffix());
        let context = CreateContext {
            namespace,
            uid: &uid,
            creation_timestamp: now.truncated(),
            name_suffix: &name_suffix,
        };
        let manifest = raw(manifest)?;
        self.limits.check_size(manifest.get().len())?;
        let name = text(metadata, "name").or_else(|| text(metadata, "generateName")).unwrap_or_default();
        let review = with_rules(|rules| validate_create(&manifest, &context, rules));
        let object = match kind {
            Kind::Job => Object::Job(Arc::new(accepted::<Job>(review, kind, name)?)),
            _ => Object::CronJob(Arc::new(accepted::<CronJob>(review, kind, name)?)),
        };
        if matches!(object, Object::Job(_)) {
            let used = self.jobs().filter(|job| job.metadata.namespace == namespace).count();
            // Quotas are checked when a name has been made.
            self.limits.check_jobs(&object.metadata().name, u32::try_from(used).unwrap_or(u32::MAX))?;
        }
        self.insert(object)
    }

    fn create_other(&mut self, kind: &Kind, manifest: &Value, now: Timestamp) -> Result<Object, ApiError> {
        let mut body: Map<String, Value> = manifest.as_object().cloned().unwrap_or_default();
        let metadata = body.remove("metadata").unwrap_or_default();
        let metadata = self.new_metadata(metadata, now)?;
        self.insert(Object::Other(Arc::new(Other { kind: kind.as_str().into(), metadata, body })))
    }

    fn create_bare_pod(&mut self, manifest: &Value, now: Timestamp) -> Result<Arc<Pod>, ApiError> {
        let metadata = read_metadata(manifest["metadata"].clone())?;
        if manifest["spec"]["containers"].as_array().is_none_or(Vec::is_empty) {
            let error = "spec.containers: Required value".into();
            return Err(ApiError::invalid("Pod", &metadata.name, &[error]));
        }
        let namespace =
            if metadata.namespace.is_empty() { DEFAULT_NAMESPACE } else { metadata.namespace.as_str() };
        let owners: Vec<OwnerReference> = metadata.owner_references;
        let new = NewPod {
            namespace: namespace.into(),
            name: metadata.name.into(),
            generate_name: metadata.generate_name,
            base: Arc::new(PodBase::from_template(manifest)),
            owners: owners.into(),
            finalizers: metadata.finalizers.into_iter().map(Into::into).collect(),
            index: None,
            index_failures: None,
        };
        create_pod(self, new, now)
    }

    fn new_metadata(&mut self, metadata: Value, now: Timestamp) -> Result<ObjectMeta, ApiError> {
        let mut metadata = read_metadata(metadata)?;
        if metadata.namespace.is_empty() {
            metadata.namespace = DEFAULT_NAMESPACE.into();
        }
        if metadata.name.is_empty() && !metadata.generate_name.is_empty() {
            metadata.name = format!("{}{}", metadata.generate_name, self.identities.suffix());
        }
        if metadata.name.is_empty() {
            return Err(ApiError::bad_request(
                "resource name may not be empty: name or generateName is required",
            ));
        }
        metadata.uid = self.identities.uid();
        metadata.creation_timestamp = Some(now.truncated());
        Ok(metadata)
    }

    fn insert(&mut self, object: Object) -> Result<Object, ApiError> {
        let key: ObjectKey = object.key();
        if self.object(&key).is_some() {
            return Err(ApiError::already_exists(&key.kind.resource(), &key.name));
        }
        Ok(self.put(object))
    }
}

fn read_metadata(metadata: Value) -> Result<ObjectMeta, ApiError> {
    let metadata = if metadata.is_null() { Value::Object(Map::new()) } else { metadata };
    typed(&metadata).map_err(|error| ApiError::bad_request(format!("metadata cannot be read: {error}")))
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value[field].as_str().filter(|text| !text.is_empty())
}
