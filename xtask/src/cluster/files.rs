//! Certificates, tokens, kubeconfigs and arguments of the control plane.

use super::processes::Processes;
use super::{Node, Options};
use crate::steps::{output, root, run};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may do what: name of the kubeconfig, user, groups.
const USERS: &[(&str, &str, &str)] = &[
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("node", "system:node:localhost", "system:nodes"),
];

/// Where the parts find their files; their working directory is the cluster's.
pub(super) struct Files {
    data: PathBuf,
}

/// etcd keeps its data in memory where it can: on a slow disk the API server times out. Each cluster has a directory of
/// its own there.
fn data_dir(dir: &Path) -> PathBuf {
    let shared_memory = Path::new("/dev/shm");
    if !shared_memory.is_dir() {
        return dir.join("etcd");
    }
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    shared_memory.join(format!("jobpolicy-cluster-etcd-{:016x}", hasher.finish()))
}

/// Removes what etcd has kept.
pub(super) fn remove_data(dir: &Path) -> Result<(), String> {
    let data = data_dir(dir);
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", data.display()))
        }
        _ => Ok(()),
    }
}

/// Writes all files anew.
pub(super) fn write(processes: &Processes, options: &Options) -> Result<Files, String> {
    let dir = processes.dir.clone();
    remove_data(&dir)?;
    for part in ["log", "pid", "pki"] {
        make_dir(&dir.join(part))?;
    }
    let mut pki = Command::new(&processes.kube);
    pki.args(["pki", "pki"]).current_dir(&dir);
    run(pki)?;
    let mut tokens = String::new();
    for (name, user, groups) in USERS {
        let token = random_token()?;
        tokens.push_str(&format!("{token},{user},{name},\"{groups}\"\n"));
        let path = dir.join(format!("{name}.kubeconfig"));
        save(&path, &kubeconfig(&dir, options, &token))?;
    }
    save(&dir.join("pki/tokens.csv"), &tokens)?;
    Ok(Files { data: data_dir(&dir) })
}

fn make_dir(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
}

fn save(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn random_token() -> Result<String, String> {
    use std::io::Read;
    let mut bytes = [0; 16];
    let source = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    source.map_err(|error| format!("cannot read random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn kubeconfig(dir: &Path, options: &Options, token: &str) -> String {
    let (port, ca) = (options.base_port + 443, dir.join("pki/ca.crt"));
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: test\n  cluster:\n    server: https://127.0.0.1:{port}\n    \
         certificate-authority: {}\nusers:\n- name: user\n  user:\n    token: {token}\ncontexts:\n- name: test\n  \
         context:\n    cluster: test\n    user: user\ncurrent-context: test\n",
        ca.display()
    )
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Files {
    pub(super) fn etcd(&self, options: &Options) -> Vec<String> {
        let url = |offset| format!("http://127.0.0.1:{}", options.base_port + offset);
        vec![self.data.display().to_string(), url(379), url(380)]
    }

    pub(super) fn apiserver(&self, options: &Options) -> Vec<String> {
        let base = options.base_port;
        // A fake node answers at its address, a real one on loopback, where its name leads.
        let addresses = if options.node == Node::Real { "Hostname" } else { "InternalIP,Hostname" };
        words(&format!(
            "--etcd-servers=http://127.0.0.1:{} --bind-address=127.0.0.1 --secure-port={} --profiling=false
             --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt
             --token-auth-file=pki/tokens.csv --kubelet-client-certificate=pki/kubelet-client.crt
             --kubelet-client-key=pki/kubelet-client.key --kubelet-preferred-address-types={addresses}
             --service-account-issuer=https://kubernetes.default.svc.cluster.local
             --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key
             --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --allow-privileged=true
             --enable-admission-plugins=OwnerReferencesPermissionEnforcement",
            base + 379,
            base + 443,
        ))
    }

    pub(super) fn controller_manager(&self, options: &Options) -> Vec<String> {
        let controllers =
            if options.built_in_controllers { "*" } else { "*,-job-controller,-cronjob-controller" };
        words(&format!(
            "--kubeconfig=controller-manager.kubeconfig --authentication-kubeconfig=controller-manager.kubeconfig
             --authorization-kubeconfig=controller-manager.kubeconfig --controllers={controllers}
             --use-service-account-credentials=true --service-account-private-key-file=pki/sa.key
             --root-ca-file=pki/ca.crt --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key
             --leader-elect=false --bind-address=127.0.0.1 --secure-port={} --allocate-node-cidrs=false
             --terminated-pod-gc-threshold=1000000",
            options.base_port + 257
        ))
    }

    pub(super) fn scheduler(&self, options: &Options) -> Vec<String> {
        words(&format!(
            "--kubeconfig=scheduler.kubeconfig --authentication-kubeconfig=scheduler.kubeconfig
             --authorization-kubeconfig=scheduler.kubeconfig --leader-elect=false --bind-address=127.0.0.1
             --secure-port={}",
            options.base_port + 259
        ))
    }

    pub(super) fn kwok(&self, options: &Options) -> Vec<String> {
        let stages = root().join("tests/cluster/stages.yaml");
        let mut args = words(&format!(
            "--kubeconfig=admin.kubeconfig --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake
             --cidr=10.99.0.0/16 --node-ip=127.0.0.1 --server-address=127.0.0.1:{}",
            options.base_port + 247
        ));
        args.push(format!("--config={}", stages.display()));
        args
    }
}

/// Adds the fake nodes.
pub(super) fn apply_fake_nodes(processes: &Processes) -> Result<(), String> {
    let nodes = root().join("tests/cluster/nodes.yaml");
    output(processes.kubectl(&["apply", "--filename", &nodes.display().to_string()])).map(drop)
}
