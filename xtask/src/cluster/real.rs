//! A real node: containerd with runc, a kubelet, kube-proxy, CoreDNS and images made here. It needs root.

use super::images::{self, failed, remove, save};
use super::processes::Processes;
use super::{Options, build};
use crate::steps::{output, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Sockets live here: their paths must be short.
const RUN: &str = "/run/jobpolicy-cluster";
const BRIDGE: &str = "jobpolicy0";
/// The gateway of the Pods' network, where CoreDNS listens.
const GATEWAY: &str = "10.244.0.1/24";
const PACKAGES: &[&str] = &[
    "bash-static",
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "debootstrap",
    "iproute2",
    "iptables",
    "runc",
];
/// Programs that come with the packages above.
const PROGRAMS: &[&str] = &[
    "/bin/bash-static",
    "/bin/busybox",
    "/usr/sbin/conntrack",
    "/usr/bin/containerd",
    "/usr/lib/cni/bridge",
    "/usr/sbin/debootstrap",
    "/usr/sbin/iptables",
    "/usr/sbin/runc",
];

/// Starts a node beside the control plane and waits until it is ready.
pub(super) fn start(processes: &mut Processes, options: &Options) -> Result<(), String> {
    require_root()?;
    if !PROGRAMS.iter().all(|program| Path::new(program).exists()) {
        crate::tools::apt(PACKAGES)?;
    }
    let helpers = build::node()?;
    let archives = images::archives(&root().join("target/cluster/images"))?;
    let node = Node { dir: processes.dir.clone() };
    node.write_files(options)?;
    network()?;
    let mut containerd = Command::new("containerd");
    containerd.arg("--config").arg(node.file("containerd.toml"));
    processes.start_command("containerd", containerd)?;
    node.import(&archives)?;
    processes.start("kubelet", &node.kubelet())?;
    let mut proxy = Command::new(&helpers);
    proxy.arg("kube-proxy").args(proxy_args(options));
    processes.start_command("kube-proxy", proxy)?;
    let mut dns = Command::new(&helpers);
    dns.args(["coredns", "-conf"]).arg(node.file("Corefile"));
    processes.start_command("coredns", dns)?;
    let service = root().join("tests/cluster/node/dns.yaml");
    output(processes.kubectl(&["apply", "--filename", &service.display().to_string()]))?;
    let ready = ["wait", "node/localhost", "--for=condition=Ready", "--timeout=1s"];
    processes.wait("the node", Duration::from_secs(120), &ready)
}

/// Ends what the processes of a node have left: containers, mounts, the bridge, rules of the firewall.
pub(super) fn clean_up(dir: &Path) -> Result<(), String> {
    let node = Node { dir: dir.to_owned() };
    if !node.file("").exists() {
        return Ok(());
    }
    // Shims outlive containerd, so that containers do. A pattern with the socket's directory finds only ours.
    best_effort("pkill", &["-KILL", "-f", &format!("containerd-shim.* -address {RUN}/")]);
    for pid in cgroup_processes() {
        best_effort("kill", &["-KILL", &pid]);
    }
    let mounts =
        fs::read_to_string("/proc/self/mounts").map_err(failed("read", Path::new("/proc/self/mounts")))?;
    let ours = |place: &&str| Path::new(place).starts_with(dir) || Path::new(place).starts_with(RUN);
    for place in mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(ours) {
        best_effort("umount", &["--lazy", place]);
    }
    best_effort("ip", &["link", "delete", BRIDGE]);
    best_effort(&build::node_path().display().to_string(), &["kube-proxy", "--cleanup"]);
    remove(Path::new(RUN))?;
    remove(&node.file(""))
}

/// Processes of Pods that are still there, by their control groups.
fn cgroup_processes() -> Vec<String> {
    let groups = ["/sys/fs/cgroup/pids/kubepods", "/sys/fs/cgroup/kubepods"];
    let mut waiting: Vec<PathBuf> = groups.iter().map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(group) = waiting.pop() {
        let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        found.extend(text.lines().map(str::to_owned));
        let entries = fs::read_dir(&group).into_iter().flatten().flatten();
        waiting.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    found
}

fn best_effort(program: &str, args: &[&str]) {
    // What is not there any more need not be ended.
    let _ = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

fn require_root() -> Result<(), String> {
    let mut id = Command::new("id");
    id.arg("--user");
    match output(id)?.trim() {
        "0" => Ok(()),
        _ => {
            Err("a real node needs root: containers and their network are made; `--node fake` does not"
                .into())
        }
    }
}

/// The Pods' network, which CoreDNS binds to before there is a Pod.
fn network() -> Result<(), String> {
    let save_setting = |path: &str| save(Path::new(path), "1");
    save_setting("/proc/sys/net/ipv4/ip_forward")?;
    best_effort("ip", &["link", "add", BRIDGE, "type", "bridge"]);
    best_effort("ip", &["address", "add", GATEWAY, "dev", BRIDGE]);
    let mut up = Command::new("ip");
    up.args(["link", "set", BRIDGE, "up"]);
    output(up).map(drop)
}

fn proxy_args(options: &Options) -> Vec<String> {
    let base = options.base_port;
    vec![
        "--kubeconfig=admin.kubeconfig".to_owned(),
        "--hostname-override=localhost".to_owned(),
        "--proxy-mode=iptables".to_owned(),
        // Answers between Pods of one bridge would go past the rules.
        "--masquerade-all".to_owned(),
        format!("--healthz-bind-address=127.0.0.1:{}", base + 256),
        format!("--metrics-bind-address=127.0.0.1:{}", base + 249),
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
        "--nodeport-addresses=127.0.0.0/8".to_owned(),
    ]
}

/// Where a node keeps its files.
struct Node {
    dir: PathBuf,
}

impl Node {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.join("node").join(name)
    }

    fn write_files(&self, options: &Options) -> Result<(), String> {
        for directory in ["cni", "registries/docker.io"] {
            let directory = self.file(directory);
            fs::create_dir_all(&directory).map_err(failed("make", &directory))?;
        }
        fs::create_dir_all(RUN).map_err(failed("make", Path::new(RUN)))?;
        let port = (options.base_port + 250).to_string();
        let dir = self.dir.display().to_string();
        let values =
            [("@DIR@", dir.as_str()), ("@RUN@", RUN), ("@BRIDGE@", BRIDGE), ("@KUBELET_PORT@", &port)];
        let files = [
            ("containerd.toml", "containerd.toml"),
            ("kubelet.yaml", "kubelet.yaml"),
            ("Corefile", "Corefile"),
            ("cni.conflist", "cni/10-bridge.conflist"),
        ];
        for (from, to) in files {
            let source = root().join("tests/cluster/node").join(from);
            let mut text = fs::read_to_string(&source).map_err(failed("read", &source))?;
            for (placeholder, value) in values {
                text = text.replace(placeholder, value);
            }
            save(&self.file(to), &text)?;
        }
        // No image is pulled: one that is not here is asked for where nobody listens.
        save(&self.file("registries/docker.io/hosts.toml"), "server = \"http://127.0.0.1:1\"\n")?;
        save(&self.file("resolv.conf"), "")
    }

    fn import(&self, archives: &[PathBuf]) -> Result<(), String> {
        let socket = format!("{RUN}/containerd.sock");
        let ctr = |args: &[&str]| {
            let mut command = Command::new("ctr");
            command.args(["--address", &socket, "--namespace", "k8s.io"]).args(args);
            command
        };
        let began = std::time::Instant::now();
        while let Err(error) = output(ctr(&["version"])) {
            if began.elapsed() > Duration::from_secs(30) {
                return Err(format!("containerd did not come up in 30 s: {error}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        archives.iter().try_for_each(|archive| {
            output(ctr(&["images", "import", &archive.display().to_string()])).map(drop)
        })
    }

    fn kubelet(&self) -> Vec<String> {
        vec![
            format!("--config={}", self.file("kubelet.yaml").display()),
            "--kubeconfig=node.kubeconfig".to_owned(),
            "--hostname-override=localhost".to_owned(),
            format!("--root-dir={}", self.file("kubelet").display()),
            format!("--cert-dir={}", self.file("kubelet-pki").display()),
        ]
    }
}
