//! Defaults and validation of Jobs and CronJobs, exact to the API server of Kubernetes v1.37 with its feature gates
//! at their defaults: what it would store, and what it would say.
//!
//! ```
//! use policy_core::spec::validation::{CreateContext, Rules, validate_create};
//! let job = r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": {
//!     "template": {"spec": {"containers": [{"name": "pi", "image": "perl"}]}}}}"#;
//! let job = serde_json::from_str(job).unwrap();
//! let review = validate_create(job, &CreateContext::default(), &Rules::default());
//! assert_eq!(
//!     review.errors[0].to_string(),
//!     r#"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#,
//! );
//! let defaulted = serde_json::to_value(&review.defaulted).unwrap();
//! assert_eq!(defaulted["spec"]["backoffLimit"], 6);
//! ```

use super::decode::{self, TypeMeta};
use super::object::{Node, Struct};
use super::schema::StructType;
use super::schema::batch::{CRON_JOB, JOB};
use crate::Timestamp;
use crate::cron::go_text::quote;
use crate::cron::{TimeZones, UtcOnly};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

mod affinity;
mod annotations;
mod claims;
mod container;
mod create;
mod cron_job;
mod dns;
mod env;
mod error;
mod field;
mod gates;
mod indexes;
mod job;
mod job_status;
mod job_update;
mod metadata;
mod mounts;
mod names;
mod options;
mod os;
mod paths;
mod placement;
mod pod_failure_policy;
mod pod_resources;
mod pod_template;
mod probes;
mod projected;
mod resources;
mod restart;
mod schedule;
mod scheduling;
mod security;
mod selectors;
mod status_options;
mod success_policy;
#[cfg(test)]
mod testing;
mod update;
mod volumes;
mod warnings;

pub use error::{ErrorType, FieldError};

/// What the cluster brings to the rules.
#[derive(Clone, Copy)]
pub struct Rules<'r> {
    /// The zones that `timeZone` may name.
    pub time_zones: &'r dyn TimeZones,
    /// Whether containers may be privileged: the API server's flag `--allow-privileged`, which is off by default and
    /// on in most clusters.
    pub allow_privileged: bool,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Rules { time_zones: &UtcOnly, allow_privileged: false }
    }
}

/// What the API server adds to an object that it creates.
#[derive(Clone, Copy, Debug)]
pub struct CreateContext<'c> {
    /// The namespace of the request, for an object without one.
    pub namespace: &'c str,
    /// The object's UID.
    pub uid: &'c str,
    /// When it is created.
    pub creation_timestamp: Timestamp,
    /// What is appended to `generateName` where the object has no name; five characters upstream.
    pub name_suffix: &'c str,
}

impl Default for CreateContext<'_> {
    fn default() -> Self {
        CreateContext {
            namespace: "default",
            uid: "00000000-0000-0000-0000-000000000000",
            creation_timestamp: Timestamp::ZERO,
            name_suffix: "xxxxx",
        }
    }
}

/// What of an object an update is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself: its status stays.
    Main,
    /// Its status: its spec stays.
    Status,
}

/// What the API server makes of a manifest.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Review<'a> {
    /// The object as it would be stored, also when there are errors; none if it cannot be read.
    pub defaulted: Option<Object<'a>>,
    /// What is wrong with its fields, in upstream's order; errors of the same text once.
    pub errors: Vec<FieldError>,
    /// What the API server would warn of; none when there are errors.
    pub warnings: Vec<String>,
    /// Unknown and duplicate fields, in upstream's words. They are dropped; kubectl asks the API server to refuse
    /// such manifests.
    pub strict_errors: Option<String>,
    /// Why the manifest cannot be read, in upstream's words.
    pub decode_error: Option<String>,
}

impl Review<'_> {
    /// Whether the API server would take the object, unknown fields aside.
    pub fn is_accepted(&self) -> bool {
        self.errors.is_empty() && self.decode_error.is_none()
    }

    fn undecodable(error: String) -> Self {
        Review { decode_error: Some(error), ..Review::default() }
    }
}

/// A Job or CronJob as the API server would store it, to be serialized.
#[derive(Clone, Debug)]
pub struct Object<'a>(Struct<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Reviews a manifest as the API server does on creation.
pub fn validate_create<'a>(
    manifest: &'a RawValue,
    context: &CreateContext<'a>,
    rules: &Rules<'_>,
) -> Review<'a> {
    match Manifest::read(manifest) {
        Ok(manifest) => create::create(manifest, context, rules),
        Err(error) => Review::undecodable(error),
    }
}

/// Reviews the change of a stored object `old` to `new`. The errors are those of the new object.
pub fn validate_update<'a>(
    old: &'a RawValue,
    new: &'a RawValue,
    subresource: Subresource,
    rules: &Rules<'_>,
) -> Review<'a> {
    let old = match Manifest::read(old) {
        Ok(old) => old,
        Err(error) => return Review::undecodable(format!("old: {error}")),
    };
    match Manifest::read(new) {
        Ok(new) if new.kind == old.kind => update::update(old, new, subresource, rules),
        Ok(_) => Review::undecodable("new: not of the kind of the old object".into()),
        Err(error) => Review::undecodable(format!("new: {error}")),
    }
}

/// The kinds of objects that can be reviewed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Job,
    CronJob,
}

impl Kind {
    /// The kind of an object by what it calls itself.
    fn of(text: &str, extent: TypeMeta) -> Result<Self, String> {
        let (api_version, kind) = decode::type_meta(text, extent)?;
        match (&*api_version, &*kind) {
            (_, "") => Err(format!("Object 'Kind' is missing in '{text}'")),
            ("", _) => Err(format!("Object 'apiVersion' is missing in '{text}'")),
            ("batch/v1", "Job") => Ok(Kind::Job),
            ("batch/v1", "CronJob") => Ok(Kind::CronJob),
            (version, kind) => {
                Err(format!("no kind {} is registered for version {}", quote(kind), quote(version)))
            }
        }
    }

    fn ty(self) -> &'static StructType {
        match self {
            Kind::Job => &JOB,
            Kind::CronJob => &CRON_JOB,
        }
    }
}

/// A manifest that was read, with its defaults.
struct Manifest<'a> {
    kind: Kind,
    object: Struct<'a>,
    /// Whether the Job's labels are its template's (see [`default_job`](super::defaults::default_job)).
    shares_labels: bool,
    strict_errors: Option<String>,
}

impl<'a> Manifest<'a> {
    /// Reads an object and fills in its defaults.
    fn read(manifest: &'a RawValue) -> Result<Self, String> {
        let text = manifest.get();
        let kind = Kind::of(text, TypeMeta::First).or_else(|_| Kind::of(text, TypeMeta::Last))?;
        let decoded = decode::decode(text, kind.ty());
        let is_odd = !decoded.as_ref().is_ok_and(|decoded| decoded.strict_errors.is_empty());
        let last = if is_odd { Kind::of(text, TypeMeta::Last)? } else { kind };
        let (kind, decoded) =
            if last == kind { (kind, decoded?) } else { (last, decode::decode(text, last.ty())?) };
        let mut object = decoded.object;
        object.set("apiVersion", Node::constant("batch/v1"));
        object.set("kind", Node::constant(kind.ty().short_name()));
        let shares_labels = match kind {
            Kind::Job => super::defaults::default_job(&mut object),
            Kind::CronJob => {
                super::defaults::default_cron_job(&mut object);
                false
            }
        };
        let strict = decoded.strict_errors;
        let strict_errors =
            (!strict.is_empty()).then(|| format!("strict decoding error: {}", strict.join(", ")));
        Ok(Manifest { kind, object, shares_labels, strict_errors })
    }

    /// The spec of the Job, or of the Jobs that the CronJob makes.
    fn job_spec(&self) -> Option<&Struct<'a>> {
        let spec = self.object.child("spec")?;
        match self.kind {
            Kind::Job => Some(spec),
            Kind::CronJob => spec.child("jobTemplate")?.child("spec"),
        }
    }

    fn job_spec_mut(&mut self) -> Option<&mut Struct<'a>> {
        let spec = self.object.child_or_new("spec")?;
        match self.kind {
            Kind::Job => Some(spec),
            Kind::CronJob => spec.child_or_new("jobTemplate")?.child_or_new("spec"),
        }
    }

    fn into_node(self) -> Node<'a> {
        Node::Struct(self.object)
    }
}
