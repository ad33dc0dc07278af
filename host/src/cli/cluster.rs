//! The cluster that a command reads.

use crate::controller::fetch::Cluster;
use crate::diagnostic::Diagnostic;
use std::path::PathBuf;

/// How to reach the cluster.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct KubeconfigArgs {
    /// The kubeconfig; else KUBECONFIG, else ~/.kube/config, else the account of the Pod
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// The context in the kubeconfig; else the current one
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
}

impl KubeconfigArgs {
    /// The cluster, and what to look at there.
    pub(super) fn cluster(&self, namespace: Option<&str>) -> Cluster {
        Cluster {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: namespace.map(str::to_owned),
        }
    }
}

/// How to find the cluster.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ClusterArgs {
    #[command(flatten)]
    kubeconfig: KubeconfigArgs,
    /// The namespace; else the one of the context
    #[arg(long, short, value_name = "NAMESPACE", help_heading = "Cluster")]
    namespace: Option<String>,
}

impl ClusterArgs {
    pub(super) fn cluster(&self) -> Cluster {
        self.kubeconfig.cluster(self.namespace.as_deref())
    }

    /// Files are no cluster: what picks one would be passed over without a word.
    pub(super) fn refuse_with_files(&self) -> Result<(), Diagnostic> {
        let given = [
            ("--kubeconfig", self.kubeconfig.kubeconfig.is_some()),
            ("--context", self.kubeconfig.context.is_some()),
            ("--namespace", self.namespace.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Diagnostic::error(format!("{flag} means nothing with files"))
                .help("leave the files out and name the object: `jobpolicy explain job/NAME`")),
            None => Ok(()),
        }
    }
}
