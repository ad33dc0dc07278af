//! What the Pods of a Job have in common, made once for each generation of the Job.

use crate::object::PodBase;
use crate::typed::typed;
use policy_core::job::{PodCreate, PodDraft};
use policy_core::spec::{Job, OwnerReference};
use std::sync::Arc;

/// What Pods are made from.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    uid: String,
    generation: Option<i64>,
    pub(super) core: PodDraft,
    pub(super) base: Arc<PodBase>,
    pub(super) owners: Arc<[OwnerReference]>,
    pub(super) finalizers: Vec<Arc<str>>,
}

impl Draft {
    pub(super) fn new(job: &Job) -> Self {
        let core = PodDraft::new(job);
        let pod = core.pod(&PodCreate::default());
        let indexed = core.pod(&PodCreate { index: Some(0), ..PodCreate::default() });
        let stem = indexed["spec"]["hostname"].as_str().and_then(|name| name.strip_suffix('0'));
        let base = PodBase { hostname_stem: stem.map(Into::into), ..PodBase::from_template(&pod) };
        let finalizers = pod["metadata"]["finalizers"].as_array().into_iter().flatten();
        let owners: Option<Vec<OwnerReference>> = typed(&pod["metadata"]["ownerReferences"]).ok();
        Draft {
            uid: job.metadata.uid.clone(),
            generation: job.metadata.generation,
            base: Arc::new(base),
            owners: owners.unwrap_or_default().into(),
            finalizers: finalizers.filter_map(|f| f.as_str().map(Into::into)).collect(),
            core,
        }
    }

    /// Whether it was made of this generation of the Job.
    pub(super) fn is_of(&self, job: &Job) -> bool {
        self.uid == job.metadata.uid && self.generation == job.metadata.generation
    }
}
