//! AWS as far as moto imitates it: its server as a process, and an ECS cluster built in it by plain requests.
//!
//! moto gives each task a network interface, and an Elastic IP inside 127.0.0.0/8: so a real service can
//! listen on exactly the address that the console finds.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aws::tools;
use crate::proxy::Proxy;
use crate::proxy::script::Script;
use crate::services::Service;
use crate::wait_until;

/// Where every service listens, as in its task definition.
pub const PORT: u16 = 8080;
/// Where every task logs, as in its task definition.
pub const LOG_GROUP: &str = "/mrdeck";
const LOG_PREFIX: &str = "lab";
/// ECS starts at most so many tasks a call.
const RUN_TASK: usize = 10;

pub struct Moto {
    server: Child,
    pub address: SocketAddr,
}

/// Where nobody listens, and nobody will by chance: the ports that the system gives away are above these.
fn free_address() -> SocketAddr {
    std::iter::repeat_with(|| {
        SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(15_000..30_000)))
    })
    .find(|address| TcpListener::bind(address).is_ok())
    .unwrap()
}

/// A task as moto started it.
#[derive(Debug, Clone)]
pub struct MotoTask {
    pub id: String,
    pub private_ip: String,
    pub interface: String,
}

impl Moto {
    /// Starts the server. A test asks [`tools::lack`] first, because this panics where moto can't be installed.
    pub fn start() -> Self {
        let address = free_address();
        let server = Command::new(tools::program("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { server, address };
        wait_until("moto", || TcpStream::connect(address).is_ok());
        // Tasks stay as they are, instead of moving on each time they are looked at.
        let still = json!({"model_name": "ecs::task",
            "transition": {"progression": "manual", "times": 1_000_000}});
        let path = "/moto-api/state-manager/set-transition";
        moto.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            still.to_string().as_bytes(),
        );
        moto
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a console or a service needs in its environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        Self::environment_at(self.url())
    }

    /// The same for a console that reaches AWS through a proxy, which does to each call what the script says.
    pub fn through(&self, script: &Arc<Script>) -> (Proxy, Vec<(&'static str, String)>) {
        let proxy = Proxy::start("aws", self.address, script.clone());
        let environment = Self::environment_at(proxy.url());
        (proxy, environment)
    }

    fn environment_at(url: String) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", url),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    pub fn put_object(&self, bucket: &str, key: &str, body: &[u8]) {
        self.put_encoded(bucket, key, "", body);
    }

    /// Puts an object that is stored with a `Content-Encoding`, unless that is empty.
    pub fn put_encoded(&self, bucket: &str, key: &str, encoding: &str, body: &[u8]) {
        let scope = authorization("s3");
        let mut headers = vec![("authorization", scope.as_str())];
        self.send("PUT", &format!("/{bucket}"), &headers, b"");
        if !encoding.is_empty() {
            headers.push(("content-encoding", encoding));
        }
        self.send("PUT", &format!("/{bucket}/{key}"), &headers, body);
    }

    /// The keys of a bucket's first thousand objects.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        elements(&self.s3_get(&format!("/{bucket}?list-type=2")), "Key")
    }

    pub fn has_bucket(&self, bucket: &str) -> bool {
        elements(&self.s3_get("/"), "Name").contains(&bucket.to_owned())
    }

    /// What S3 answers to a GET.
    pub fn s3_get(&self, path: &str) -> String {
        let scope = authorization("s3");
        self.send("GET", path, &[("authorization", &scope)], b"")
    }

    pub fn ecs(&self, operation: &str, input: &Value) -> Value {
        self.json(
            "ecs",
            "AmazonEC2ContainerServiceV20141113",
            operation,
            input,
        )
    }

    pub fn ecr(&self, operation: &str, input: &Value) -> Value {
        self.json(
            "ecr",
            "AmazonEC2ContainerRegistry_V20150921",
            operation,
            input,
        )
    }

    fn json(&self, service: &str, target: &str, operation: &str, input: &Value) -> Value {
        let headers = [
            ("authorization", &*authorization(service)),
            ("x-amz-target", &format!("{target}.{operation}")),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let answer = self.send("POST", "/", &headers, input.to_string().as_bytes());
        if answer.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    fn logs(&self, operation: &str, input: &Value) -> Value {
        self.json("logs", "Logs_20140328", operation, input)
    }

    /// Creates the log group that task definitions name.
    pub fn create_log_group(&self) {
        let group = json!({"logGroupName": LOG_GROUP});
        self.logs("CreateLogGroup", &group);
    }

    /// Logs lines as a task of this family does; the last one is of now.
    pub fn log(&self, family: &str, task: &MotoTask, lines: &[&str]) {
        let stream = json!({"logGroupName": LOG_GROUP,
            "logStreamName": format!("{LOG_PREFIX}/{family}/{}", task.id)});
        self.logs("CreateLogStream", &stream);
        let now = jiff::Timestamp::now().as_millisecond();
        let events = lines.iter().rev().enumerate().map(|(age, line)| {
            let age = i64::try_from(age).unwrap();
            json!({"timestamp": now - age, "message": line})
        });
        let mut put = stream;
        put["logEvents"] = events.rev().collect();
        self.logs("PutLogEvents", &put);
    }

    fn ec2(&self, action: &str, parameters: &str) -> String {
        let form = format!("Action={action}&Version=2016-11-15{parameters}");
        self.query("ec2", &form)
    }

    /// The names of the stacks that are there.
    pub fn stacks(&self) -> Vec<String> {
        let form = "Action=DescribeStacks&Version=2010-05-15";
        elements(&self.query("cloudformation", form), "StackName")
    }

    pub fn create_stack(&self, name: &str, template: &str) {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "CreateStack")
            .append_pair("Version", "2010-05-15")
            .append_pair("StackName", name)
            .append_pair("TemplateBody", template);
        self.query("cloudformation", &form.finish());
    }

    fn query(&self, service: &str, form: &str) -> String {
        let headers = [
            ("authorization", &*authorization(service)),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send("POST", "/", &headers, form.as_bytes())
    }

    /// Registers a family and runs `count` tasks of it.
    pub fn run_tasks(&self, cluster: &str, family: &str, count: usize) -> Vec<MotoTask> {
        let container = json!({"name": family, "image": family, "cpu": 256, "memory": 512,
            "portMappings": [{"containerPort": PORT}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": LOG_GROUP,
                "awslogs-region": "us-east-1", "awslogs-stream-prefix": LOG_PREFIX}}});
        let definition = json!({"family": family, "networkMode": "awsvpc", "cpu": "256",
            "memory": "512", "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [container]});
        self.ecs("RegisterTaskDefinition", &definition);
        let subnet = element(&self.ec2("DescribeSubnets", ""), "subnetId");
        let group = element(&self.ec2("DescribeSecurityGroups", ""), "groupId");
        let network = json!({"awsvpcConfiguration": {"subnets": [subnet],
            "securityGroups": [group], "assignPublicIp": "ENABLED"}});
        let mut tasks = Vec::new();
        while tasks.len() < count {
            let batch = RUN_TASK.min(count - tasks.len());
            let started = self.ecs(
                "RunTask",
                &json!({"cluster": cluster, "taskDefinition": family, "count": batch,
                    "launchType": "FARGATE", "networkConfiguration": network}),
            );
            tasks.extend(started["tasks"].as_array().unwrap().iter().map(task));
        }
        tasks
    }

    /// Gives a task a public address of its own.
    pub fn give_public_ip(&self, task: &MotoTask) -> Ipv4Addr {
        let allocated = self.ec2("AllocateAddress", "&Domain=vpc");
        let allocation = element(&allocated, "allocationId");
        let interface = &task.interface;
        self.ec2(
            "AssociateAddress",
            &format!("&AllocationId={allocation}&NetworkInterfaceId={interface}"),
        );
        let ip: Ipv4Addr = element(&allocated, "publicIp").parse().unwrap();
        assert!(ip.is_loopback(), "{ip} is not this machine's");
        ip
    }

    /// ECS stops a task, as it does for one that was asked to.
    pub fn stop_task(&self, cluster: &str, task: &MotoTask) {
        self.ecs("StopTask", &json!({"cluster": cluster, "task": task.id}));
    }

    /// A real service at a task's public address.
    pub fn serve(&self, role: &str, ip: Ipv4Addr) -> Service {
        let mut environment = self.environment();
        environment.push(("ADDR", format!("{ip}:{PORT}")));
        Service::start(role, &environment).wait()
    }

    /// One request, one connection; gives the body of a successful answer.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n",
            self.address
        );
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{method} {path}: {answer}");
        body.to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It fails only for a process that has already ended.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// moto reads from it which service is meant; it does not check signatures.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    )
}

fn task(task: &Value) -> MotoTask {
    let details = task["attachments"][0]["details"].as_array().unwrap();
    let detail = |name: &str| {
        let found = details.iter().find(|detail| detail["name"] == name);
        found.unwrap()["value"].as_str().unwrap().to_owned()
    };
    let arn = task["taskArn"].as_str().unwrap();
    MotoTask {
        id: arn.rsplit('/').next().unwrap().to_owned(),
        private_ip: detail("privateIPv4Address"),
        interface: detail("networkInterfaceId"),
    }
}

/// The text of the first element of a name in an XML answer.
fn element(xml: &str, name: &str) -> String {
    elements(xml, name).swap_remove(0)
}

/// The texts of all of them.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let start = format!("<{name}>");
    let text = |rest: &str| rest.split_once('<').unwrap().0.to_owned();
    xml.split(&start).skip(1).map(text).collect()
}
