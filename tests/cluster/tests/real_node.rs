//! All seven tutorials on a real node: containers, a kubelet, DNS, RabbitMQ and Redis.
//!
//! `cargo xtask cluster up --node real` (as root), `cargo build`, and
//! `cargo test -p cluster-tests --test real_node -- --ignored --test-threads=1`.

use cluster_tests::{World, condition, eventually, has_condition, is_like, items, text};
use serde_json::{Value, json};
use std::time::Duration;

/// Containers start in seconds on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(300);

/// A Job of one container.
fn job(name: &str, image: &str, script: &str, spec: Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec});
    let container = json!({
        "name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["bash", "-c", script],
    });
    let pod = &mut job["spec"]["template"]["spec"];
    if pod["restartPolicy"].is_null() {
        pod["restartPolicy"] = json!("Never");
    }
    pod["containers"] = json!([container]);
    job
}

const BASH: &str = "docker.io/library/bash:5";
const QUEUES: &str = "jobpolicy.dev/queues:1";

/// Starts a server and its Service, and waits until it answers.
fn server(world: &World, name: &str, service: &str, port: u16, script: &str, probe: &str) {
    let labels = json!({"app": name});
    let container = json!({"name": name, "image": QUEUES, "imagePullPolicy": "IfNotPresent", "command": ["bash", "-c", script]});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    });
    world.create("pods", &pod);
    let spec = json!({"selector": labels, "ports": [{"port": port}]});
    world.create(
        "services",
        &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": service}, "spec": spec}),
    );
    eventually(&format!("{name} answers"), LIMIT, || {
        world.try_kubectl(&["exec", name, "--", "bash", "-c", probe])
    });
}

fn complete(world: &World, name: &str) -> Value {
    eventually(&format!("job/{name} is complete"), LIMIT, || {
        let job = world.get(&format!("jobs/{name}"));
        assert!(!has_condition(&job, "Failed"), "job/{name} has failed: {}", job["status"]);
        if has_condition(&job, "Complete") { Ok(job) } else { Err(job["status"].to_string()) }
    })
}

fn failed(world: &World, name: &str) -> (String, String) {
    let job = eventually(&format!("job/{name} has failed"), LIMIT, || {
        let job = world.get(&format!("jobs/{name}"));
        if has_condition(&job, "Failed") { Ok(job) } else { Err(job["status"].to_string()) }
    });
    let failed = condition(&job, "Failed").unwrap();
    (text(&failed["reason"]), text(&failed["message"]))
}

/// What all Pods of a Job have printed, a line each.
fn log_lines(world: &World, selector: &str) -> Vec<String> {
    let log = world.kubectl(&["logs", "--selector", selector, "--tail=-1", "--prefix=false"]);
    log.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs a real node"]
fn a_cron_job_says_hello_once_a_minute() {
    let world = World::new("real-cron");
    let controller = world.controller(&[]);
    let mut spec =
        job("", "docker.io/library/busybox:1.28", "date; echo Hello from the Kubernetes cluster", json!({}))
            ["spec"]
            .take();
    spec["template"]["spec"]["restartPolicy"] = json!("OnFailure");
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "hello"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": spec}},
    });
    world.create("cronjobs", &cron_job);
    let name = eventually("a Job of the CronJob is complete", LIMIT, || {
        let jobs = items(world.get("jobs"));
        let done = jobs.iter().find(|job| has_condition(job, "Complete"));
        done.map(|job| text(&job["metadata"]["name"])).ok_or(format!("{} Jobs", jobs.len()))
    });
    let minutes = name.strip_prefix("hello-").and_then(|minutes| minutes.parse::<u64>().ok());
    assert!(minutes.is_some_and(|minutes| minutes > 29_000_000), "{name}");
    assert!(world.kubectl(&["logs", &format!("job/{name}")]).contains("Hello from the Kubernetes cluster"));
    eventually("the CronJob knows its last run", LIMIT, || {
        let status = world.get("cronjobs/hello")["status"].take();
        let seen = status["lastScheduleTime"].is_string() && status["lastSuccessfulTime"].is_string();
        if seen { Ok(()) } else { Err(status.to_string()) }
    });
    world.kubectl(&["delete", "cronjob", "hello"]);
    eventually("Jobs and Pods go with it", LIMIT, || {
        let left = items(world.get("jobs")).len() + items(world.get("pods")).len();
        if left == 0 { Ok(()) } else { Err(format!("{left} are left")) }
    });
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn each_pod_takes_one_message_of_a_queue() {
    let world = World::new("real-rabbitmq");
    let controller = world.controller(&[]);
    let start = "ulimit -n 4096; exec rabbitmq-server";
    let probe = "rabbitmqctl -q list_queues && amqp-declare-queue --url=amqp://guest:guest@rabbitmq-service:5672 -q job1 -d";
    server(&world, "rabbitmq", "rabbitmq-service", 5672, start, probe);
    let fruit = ["apple", "banana", "cherry", "date", "fig", "grape", "lemon", "melon"];
    let publish = format!(
        "for f in {}; do amqp-publish --url=amqp://guest:guest@rabbitmq-service:5672 -r job1 -p -b $f; done",
        fruit.join(" ")
    );
    world.kubectl(&["exec", "rabbitmq", "--", "bash", "-c", &publish]);
    // amqp-consume takes the options of its command for its own.
    let worker = "echo 'read -r item || true; echo Processing $item; sleep 10' > work; \
                  exec amqp-consume --url=amqp://guest:guest@$RABBITMQ_SERVICE_SERVICE_HOST:5672 -q job1 -c 1 \
                  bash work";
    let mut wanted = job("job-wq-1", QUEUES, worker, json!({"completions": 8, "parallelism": 2}));
    wanted["spec"]["template"]["spec"]["restartPolicy"] = json!("OnFailure");
    world.create("jobs", &wanted);
    world.kubectl(&["wait", "--for=condition=complete", "--timeout=300s", "job/job-wq-1"]);
    let done = complete(&world, "job-wq-1");
    assert_eq!((&done["status"]["succeeded"], &done["status"]["failed"]), (&json!(8), &Value::Null));
    let mut lines = log_lines(&world, "job-name=job-wq-1");
    lines.sort();
    assert_eq!(lines, fruit.map(|item| format!("Processing {item}")));
    let described = world.kubectl(&["describe", "job", "job-wq-1"]);
    assert_eq!(described.matches("SuccessfulCreate").count(), 8, "{described}");
    assert!(described.contains("0 Active (0 Ready) / 8 Succeeded / 0 Failed"), "{described}");
    let left = world.kubectl(&["exec", "rabbitmq", "--", "rabbitmqctl", "-q", "list_queues", "messages"]);
    assert_eq!(left.lines().last().map(str::trim), Some("0"), "{left}");
    world.wait_for_no_finalizers();
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn indexed_pods_find_each_other_by_name() {
    let world = World::new("real-dns");
    let controller = world.controller(&[]);
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "headless-svc"},
        "spec": {"clusterIP": "None", "selector": {"job-name": "example-job"}},
    });
    world.create("services", &service);
    let script = "for i in 0 1 2; do until ping -c 1 -w 1 example-job-$i.headless-svc >/dev/null 2>&1; do \
                  echo cannot reach example-job-$i; sleep 1; done; echo reached example-job-$i; done; sleep 5";
    let mut wanted = job(
        "example-job",
        BASH,
        script,
        json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3}),
    );
    wanted["spec"]["template"]["spec"]["subdomain"] = json!("headless-svc");
    world.create("jobs", &wanted);
    complete(&world, "example-job");
    let lines = log_lines(&world, "job-name=example-job");
    for index in 0..3 {
        let reached = lines.iter().filter(|line| **line == format!("reached example-job-{index}")).count();
        assert_eq!(reached, 3, "{lines:?}");
    }
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn pods_share_a_list_of_items() {
    let world = World::new("real-redis");
    let controller = world.controller(&[]);
    let start = "exec redis-server --protected-mode no --save ''";
    server(&world, "redis", "redis", 6379, start, "redis-cli -h redis ping | grep PONG");
    let items = "apple banana cherry date fig grape lemon melon orange";
    world.kubectl(&["exec", "redis", "--", "bash", "-c", &format!("redis-cli rpush job2 {items}")]);
    let worker = r#"
        session=$(cat /proc/sys/kernel/random/uuid); echo "Worker with sessionID: $session"
        redis() { redis-cli -h redis "$@"; }
        empty() { [ "$(redis llen job2)$(redis llen job2:processing)" = 00 ]; }
        empty && echo "Initial queue state: empty=True" || echo "Initial queue state: empty=False"
        until empty; do
            item=$(redis brpoplpush job2 job2:processing 2)
            [ -n "$item" ] || { echo "Waiting for work"; continue; }
            redis setex "job2:leased:$item" 10 "$session" >/dev/null
            echo "Working on $item"; sleep 10
            redis lrem job2:processing 0 "$item" >/dev/null; redis del "job2:leased:$item" >/dev/null
        done
        echo "Queue empty, exiting""#;
    let mut wanted = job("job-wq-2", QUEUES, worker, json!({"parallelism": 2}));
    wanted["spec"]["template"]["spec"]["restartPolicy"] = json!("OnFailure");
    world.create("jobs", &wanted);
    let done = complete(&world, "job-wq-2");
    assert_eq!(done["status"]["succeeded"], 2);
    let lines = log_lines(&world, "job-name=job-wq-2");
    let mut worked: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("Working on ")).collect();
    worked.sort_unstable();
    assert_eq!(worked.join(" "), items);
    assert_eq!(
        lines.iter().filter(|line| *line == "Initial queue state: empty=False").count(),
        2,
        "{lines:?}"
    );
    assert_eq!(lines.iter().filter(|line| *line == "Queue empty, exiting").count(), 2, "{lines:?}");
    assert_eq!(world.pods("job-wq-2").len(), 2);
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn each_index_does_its_own_part() {
    let world = World::new("real-indexed");
    let controller = world.controller(&[]);
    let mut wanted = job(
        "indexed-job",
        BASH,
        "rev /input/data.txt; sleep 3",
        json!({"completionMode": "Indexed", "completions": 5, "parallelism": 3}),
    );
    let pod = &mut wanted["spec"]["template"]["spec"];
    let mount = json!([{"name": "input", "mountPath": "/input"}]);
    pod["containers"][0]["volumeMounts"] = mount.clone();
    pod["volumes"] = json!([{"name": "input", "emptyDir": {}}]);
    let script = "items=(foo bar baz qux xyz); echo ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt";
    pod["initContainers"] = json!([{
        "name": "input", "image": BASH, "imagePullPolicy": "IfNotPresent", "command": ["bash", "-c", script],
        "volumeMounts": mount,
    }]);
    world.create("jobs", &wanted);
    let done = complete(&world, "indexed-job");
    assert_eq!(done["status"]["completedIndexes"], "0-4");
    let mut pods = world.pods("indexed-job");
    let index =
        |pod: &Value| text(&pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]);
    pods.sort_by_key(index);
    let printed: Vec<String> = pods
        .iter()
        .map(|pod| {
            world.kubectl(&["logs", &text(&pod["metadata"]["name"]), "--container", "main"]).trim().to_owned()
        })
        .collect();
    assert_eq!(printed, ["oof", "rab", "zab", "xuq", "zyx"]);
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn a_template_makes_a_job_for_each_item() {
    let world = World::new("real-expand");
    let controller = world.controller(&[]);
    for item in ["apple", "banana", "cherry"] {
        let name = format!("process-item-{item}");
        let mut wanted = job(&name, BASH, &format!("echo Processing item {item} && sleep 5"), json!({}));
        wanted["metadata"]["labels"] = json!({"jobgroup": "jobexample"});
        wanted["spec"]["template"]["metadata"] = json!({"labels": {"jobgroup": "jobexample"}});
        world.create("jobs", &wanted);
    }
    for item in ["apple", "banana", "cherry"] {
        complete(&world, &format!("process-item-{item}"));
    }
    let mut lines = log_lines(&world, "jobgroup=jobexample");
    lines.sort();
    assert_eq!(lines, ["apple", "banana", "cherry"].map(|item| format!("Processing item {item}")));
    world.kubectl(&["delete", "jobs", "--selector", "jobgroup=jobexample"]);
    eventually("no Pod is left", LIMIT, || match items(world.get("pods")).len() {
        0 => Ok(()),
        left => Err(format!("{left} Pods")),
    });
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn a_bug_ends_the_job_at_once() {
    let world = World::new("real-failjob");
    let controller = world.controller(&[]);
    let name = "job-pod-failure-policy-failjob";
    let rule = json!({"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}});
    let spec =
        json!({"completions": 8, "parallelism": 2, "backoffLimit": 6, "podFailurePolicy": {"rules": [rule]}});
    world.create("jobs", &job(name, BASH, "sleep 30; exit 42", spec));
    let (reason, message) = failed(&world, name);
    let expected = format!(
        "Container main for pod {}/{name}-* failed with exit code 42 matching FailJob rule at index 0",
        world.namespace
    );
    assert_eq!(reason, "PodFailurePolicy");
    assert!(is_like(&message, &expected), "{message}");
    assert_eq!(world.pods(name).len(), 2);
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn a_drained_node_does_not_count() {
    let world = World::new("real-ignore");
    let controller = world.controller(&[]);
    let name = "job-pod-failure-policy-ignore";
    let rule = json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]});
    let spec =
        json!({"completions": 4, "parallelism": 2, "backoffLimit": 0, "podFailurePolicy": {"rules": [rule]}});
    world.create("jobs", &job(name, BASH, "sleep 20", spec));
    eventually("two Pods run", LIMIT, || {
        let running = world.pods(name).iter().filter(|pod| pod["status"]["phase"] == "Running").count();
        if running == 2 { Ok(()) } else { Err(format!("{running} run")) }
    });
    let selector = format!("--pod-selector=job-name={name}");
    world.kubectl(&["drain", "localhost", "--ignore-daemonsets", "--grace-period=0", "--force", &selector]);
    eventually("replacements are pending", LIMIT, || {
        let status = world.get(&format!("jobs/{name}"))["status"].take();
        assert!(status["failed"].is_null(), "{status}");
        let pending = world.pods(name).iter().filter(|pod| pod["status"]["phase"] == "Pending").count();
        if pending == 2 { Ok(()) } else { Err(status.to_string()) }
    });
    world.kubectl(&["uncordon", "localhost"]);
    let done = complete(&world, name);
    assert_eq!((&done["status"]["succeeded"], &done["status"]["failed"]), (&json!(4), &Value::Null));
    controller.assert_nothing_refused();
}

#[test]
#[ignore = "needs a real node"]
fn a_condition_of_ones_own_ends_the_job() {
    let world = World::new("real-config");
    let controller = world.controller(&[]);
    let name = "job-pod-failure-policy-config-issue";
    let rule = json!({"action": "FailJob", "onPodConditions": [{"type": "ConfigIssue"}]});
    let spec =
        json!({"completions": 8, "parallelism": 2, "backoffLimit": 6, "podFailurePolicy": {"rules": [rule]}});
    world.create("jobs", &job(name, "non-existing-repo/non-existing-image:example", "true", spec));
    let pod = eventually("the image cannot be pulled", LIMIT, || {
        let pods = world.pods(name);
        let waits = |pod: &Value| text(&pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]);
        let found = pods.iter().find(|pod| waits(pod) == "ImagePullBackOff");
        found
            .map(|pod| text(&pod["metadata"]["name"]))
            .ok_or(format!("{:?}", pods.iter().map(waits).collect::<Vec<_>>()))
    });
    let patch =
        r#"{"status":{"conditions":[{"type":"ConfigIssue","status":"True","reason":"NonExistingImage"}]}}"#;
    world.kubectl(&["patch", "pod", &pod, "--subresource=status", "--patch", patch]);
    world.kubectl(&["delete", "pod", &pod]);
    let expected =
        format!("Pod {}/{pod} has condition ConfigIssue matching FailJob rule at index 0", world.namespace);
    assert_eq!(failed(&world, name), ("PodFailurePolicy".to_owned(), expected));
    controller.assert_nothing_refused();
}
