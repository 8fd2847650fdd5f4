//! FAKE PART: a proxy before a real service, which does to each request what the script says.
//! It speaks as much HTTP/1.1 as the console and the services need, one request a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::runtime;
use super::script::{Fault, Gate, Script, Seen};

/// The fields that the lab's services answer, and no others.
const PLAIN_FIELDS: [&str; 3] = ["chunks", "out", "files"];
/// The parameters that the lab's services know, and no others.
const PLAIN_PARAMETERS: [&str; 3] = ["s3", "chunks", "in"];

pub struct Proxy {
    pub address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Stands before `target`; the script knows it by `name`.
    pub fn start(name: &str, target: SocketAddr, script: Arc<Script>) -> Self {
        Self::start_at("127.0.0.1:0", name, target, script)
    }

    /// The same at an address that the console will find.
    pub fn start_at(at: &str, name: &str, target: SocketAddr, script: Arc<Script>) -> Self {
        let bound = runtime().block_on(TcpListener::bind(at));
        let listener = bound.unwrap();
        let address = listener.local_addr().unwrap();
        let name = name.to_owned();
        let server = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (name, script) = (name.clone(), script.clone());
                tokio::spawn(async move {
                    // A broken connection on either side ends the other, as without a proxy.
                    let _ = handle(client, &name, target, &script).await;
                });
            }
        });
        Self {
            address,
            _server: AbortOnDropHandle::new(server),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn handle(
    client: TcpStream,
    name: &str,
    target: SocketAddr,
    script: &Script,
) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let Some(request) = Request::read(&mut client).await? else {
        return Ok(());
    };
    let (number, fault) = script.decide(request.seen(name));
    let answer = match fault {
        Fault::Pass => request.ask(target).await?,
        Fault::Answer { status, body } => answer(status, body.as_bytes()),
        Fault::Silence => {
            hang_up(&mut client).await?;
            script.hung_up(number);
            return Ok(());
        }
        Fault::Close => return Ok(()),
        Fault::Cut => {
            let mut whole = request.ask(target).await?;
            let half = parts(&whole).1.len().div_ceil(2);
            whole.truncate(whole.len() - half);
            whole
        }
        Fault::LoseAnswer => {
            request.ask(target).await?;
            return Ok(());
        }
        Fault::Hold(gate) => {
            if waited_in_vain(&gate, &mut client).await? {
                script.hung_up(number);
                return Ok(());
            }
            request.ask(target).await?
        }
        Fault::HoldAnswer(gate) => {
            let whole = request.ask(target).await?;
            if waited_in_vain(&gate, &mut client).await? {
                script.hung_up(number);
                return Ok(());
            }
            whole
        }
        Fault::Edit(change) => edited(&request.ask(target).await?, |json| change(json)),
        Fault::Paged { list, size } => {
            let asked: Value = serde_json::from_slice(&request.body)?;
            let from = asked["nextToken"]
                .as_str()
                .map_or(0, |token| token.parse().unwrap());
            edited(&request.ask(target).await?, |json| {
                page(json, list, from, size);
            })
        }
        Fault::At(date) => dated(&request.ask(target).await?, date),
        Fault::Plain => plain(&request.without_extensions().ask(target).await?),
    };
    client.write_all(&answer).await?;
    client.shutdown().await
}

/// Completes when the caller has gone.
async fn hang_up(client: &mut BufReader<TcpStream>) -> io::Result<()> {
    while client.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

/// Waits for the gate; says whether the caller had gone before it opened.
async fn waited_in_vain(gate: &Gate, client: &mut BufReader<TcpStream>) -> io::Result<bool> {
    tokio::select! {
        () = gate.passed() => Ok(false),
        gone = hang_up(client) => gone.map(|()| true),
    }
}

struct Request {
    method: String,
    /// With a host that says nothing.
    url: Url,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    async fn read(client: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let mut first = lines
            .remove(0)
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let target = first.remove(1);
        let mut request = Self {
            method: first.remove(0),
            url: Url::parse(&format!("http://proxy{target}")).unwrap(),
            headers: lines,
            body: Vec::new(),
        };
        let length = request.header("content-length");
        let length = length.map(|value| value.parse().unwrap());
        request.body.resize(length.unwrap_or(0), 0);
        client.read_exact(&mut request.body).await?;
        Ok(Some(request))
    }

    fn seen(&self, service: &str) -> Seen {
        let query: Vec<(String, String)> = self.url.query_pairs().into_owned().collect();
        // `2c3` is the second attempt of the third console that took the run up.
        let number = |name: &str| {
            let (_, value) = query.iter().find(|(n, _)| n == name)?;
            Some(value.split('c').next()?.parse().unwrap())
        };
        Seen {
            service: service.to_owned(),
            method: self.method.clone(),
            path: self.url.path().to_owned(),
            chunk: number("chunk"),
            attempt: number("attempt"),
            operation: self.operation(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            access_key: self.access_key(),
            query,
            hung_up: false,
        }
    }

    /// `X-Amz-Target: Service_Version.Operation`, or `Action=Operation` in a form.
    fn operation(&self) -> Option<String> {
        let target = self.header("x-amz-target");
        let target = target.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
        target.or_else(|| {
            let mut fields = url::form_urlencoded::parse(&self.body);
            let (_, action) = fields.find(|(name, _)| name == "Action")?;
            Some(action.into_owned())
        })
    }

    /// `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
    fn access_key(&self) -> Option<String> {
        let (_, rest) = self.header("authorization")?.split_once("Credential=")?;
        Some(rest.split_once('/')?.0.to_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.headers.iter().filter_map(|line| line.split_once(':'));
        let (_, value) = pairs.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    fn without_extensions(mut self) -> Self {
        let pairs: Vec<_> = self.url.query_pairs().into_owned().collect();
        let known = pairs
            .iter()
            .filter(|(name, _)| PLAIN_PARAMETERS.contains(&name.as_str()));
        self.url
            .query_pairs_mut()
            .clear()
            .extend_pairs(known)
            .finish();
        self
    }

    /// The service's whole answer.
    async fn ask(&self, target: SocketAddr) -> io::Result<Vec<u8>> {
        let mut service = TcpStream::connect(target).await?;
        let query = self
            .url
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        let mut bytes = format!("{} {}{query} HTTP/1.1\r\n", self.method, self.url.path());
        for header in &self.headers {
            bytes.push_str(header);
            bytes.push_str("\r\n");
        }
        bytes.push_str("connection: close\r\n\r\n");
        service.write_all(bytes.as_bytes()).await?;
        service.write_all(&self.body).await?;
        let mut answer = Vec::new();
        service.read_to_end(&mut answer).await?;
        if answer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }
}

fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The head with the empty line after it, and the body.
fn parts(answer: &[u8]) -> (&[u8], &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    answer.split_at(end.unwrap() + 4)
}

fn status(answer: &[u8]) -> u16 {
    let text = std::str::from_utf8(&answer[9..12]).unwrap();
    text.parse().unwrap()
}

fn edited(whole: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(parts(whole).1).unwrap();
    change(&mut json);
    answer(status(whole), json.to_string().as_bytes())
}

fn dated(whole: &[u8], date: &str) -> Vec<u8> {
    let (head, body) = parts(whole);
    let head = std::str::from_utf8(head).unwrap();
    let is_date = |line: &str| line.to_ascii_lowercase().starts_with("date:");
    let lines: Vec<String> = head
        .split("\r\n")
        .map(|line| {
            if is_date(line) {
                format!("date: {date}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    [lines.join("\r\n").as_bytes(), body].concat()
}

/// Keeps one page of the list, and says where the next one begins.
fn page(json: &mut Value, list: &str, from: usize, size: usize) {
    let Some(items) = json[list].as_array() else {
        return;
    };
    let end = items.len().min(from + size);
    let rest = (end < items.len()).then(|| end.to_string());
    json[list] = items[from..end].to_vec().into();
    json["nextToken"] = rest.into();
}

fn plain(whole: &[u8]) -> Vec<u8> {
    let json: Value = serde_json::from_slice(parts(whole).1).unwrap();
    if let Some(message) = json["error"]["message"].as_str() {
        return answer(status(whole), format!("{message}\n").as_bytes());
    }
    edited(whole, |json| {
        let fields = json.as_object_mut().unwrap();
        fields.retain(|name, _| PLAIN_FIELDS.contains(&name.as_str()));
    })
}
