//! HTTP/1.1 messages as bytes, as far as the proxies need them, and the changes that proxies make to them.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use url::Url;

use crate::proxy::script::Seen;

/// The fields that the lab's services answer, and no others.
const PLAIN_FIELDS: [&str; 3] = ["chunks", "out", "files"];
/// The parameters that the lab's services know, and no others.
const PLAIN_PARAMETERS: [&str; 3] = ["s3", "chunks", "in"];

#[derive(Clone)]
pub struct Request {
    pub method: String,
    /// Path and query exactly as they came: a signature covers them.
    target: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    pub async fn read(client: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
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
        let first = lines.remove(0);
        let mut first = first.split(' ').map(str::to_owned);
        let mut request = Self {
            method: first.next().unwrap(),
            target: first.next().unwrap(),
            headers: lines,
            body: Vec::new(),
        };
        if request.header("expect").is_some() {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            request.headers.retain(|line| !is_header(line, "expect"));
        }
        assert!(
            request.header("transfer-encoding").is_none(),
            "a length is announced"
        );
        let length = request.header("content-length");
        let length = length.map(|value| value.parse().unwrap());
        request.body.resize(length.unwrap_or(0), 0);
        client.read_exact(&mut request.body).await?;
        Ok(Some(request))
    }

    /// Leaves of an absolute target, which only a forward proxy gets, what a server gets; returns the host and port.
    pub fn take_host(&mut self) -> String {
        let rest = self.target.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let (host, path) = (host.to_owned(), format!("/{path}"));
        self.target = path;
        host
    }

    /// The target as it came: of a CONNECT it is a host and a port.
    pub fn target(&self) -> &str {
        &self.target
    }

    pub fn seen(&self, service: &str) -> Seen {
        let url = self.url();
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        // `2c3` is the second attempt of the third console that took the run up.
        let number = |name: &str| {
            let (_, value) = query.iter().find(|(n, _)| n == name)?;
            Some(value.split('c').next()?.parse().unwrap())
        };
        Seen {
            service: service.to_owned(),
            method: self.method.clone(),
            path: url.path().to_owned(),
            chunk: number("chunk"),
            attempt: number("attempt"),
            operation: self.operation(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            access_key: self.access_key(),
            query,
            hung_up: false,
        }
    }

    /// With a host that says nothing.
    fn url(&self) -> Url {
        Url::parse(&format!("http://proxy{}", self.target)).unwrap()
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

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.iter().filter(|line| is_header(line, name));
        Some(lines.next()?.split_once(':')?.1.trim())
    }

    pub fn json(&self) -> io::Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// As another service's caller would send it, who knows no extension.
    pub fn without_extensions(mut self) -> Self {
        let pairs = self.pairs().into_iter();
        let known = pairs.filter(|(name, _)| PLAIN_PARAMETERS.contains(&name.as_str()));
        self.set_pairs(&known.collect::<Vec<_>>());
        self
    }

    /// The last parameter of this name comes twice.
    pub fn repeating(mut self, name: &str) -> Self {
        let mut pairs = self.pairs();
        let last = pairs.iter().rfind(|(n, _)| n == name).cloned();
        pairs.extend(last);
        self.set_pairs(&pairs);
        self
    }

    /// The last parameter of this name is left out; of several, joined by `+`, the last one each.
    pub fn omitting(mut self, names: &str) -> Self {
        let mut pairs = self.pairs();
        for name in names.split('+') {
            if let Some(last) = pairs.iter().rposition(|(n, _)| n == name) {
                pairs.remove(last);
            }
        }
        self.set_pairs(&pairs);
        self
    }

    pub fn flipped(mut self) -> Self {
        flip(&mut self.body);
        self
    }

    fn pairs(&self) -> Vec<(String, String)> {
        self.url().query_pairs().into_owned().collect()
    }

    fn set_pairs(&mut self, pairs: &[(String, String)]) {
        let mut url = self.url();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        self.target = format!("{}?{}", url.path(), url.query().unwrap());
    }

    fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for header in &self.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("connection: close\r\n\r\n");
        head
    }

    /// The service's whole answer.
    pub async fn ask(&self, target: SocketAddr) -> io::Result<Vec<u8>> {
        let mut service = TcpStream::connect(target).await?;
        service.write_all(self.head().as_bytes()).await?;
        service.write_all(&self.body).await?;
        let mut answer = Vec::new();
        service.read_to_end(&mut answer).await?;
        if answer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }

    /// Half of the head is sent, and no more follows.
    pub async fn half_ask(&self, target: SocketAddr) -> io::Result<TcpStream> {
        let mut service = TcpStream::connect(target).await?;
        let head = self.head();
        service
            .write_all(&head.as_bytes()[..head.len() / 2])
            .await?;
        Ok(service)
    }
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

pub fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The head with the empty line after it, and the body.
pub fn parts(answer: &[u8]) -> (&[u8], &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    answer.split_at(end.unwrap() + 4)
}

fn status(answer: &[u8]) -> u16 {
    let text = std::str::from_utf8(&answer[9..12]).unwrap();
    text.parse().unwrap()
}

/// The answer up to the middle of its body; its length says that there is more.
pub fn cut(mut whole: Vec<u8>) -> Vec<u8> {
    let missing = parts(&whole).1.len().div_ceil(2);
    whole.truncate(whole.len() - missing);
    whole
}

/// The same, with a length that fits.
pub fn shortened(whole: &[u8]) -> Vec<u8> {
    let (head, body) = parts(whole);
    let body = &body[..body.len() / 2];
    let head = with_header(head, "content-length", |_| body.len().to_string());
    [head.as_bytes(), body].concat()
}

pub fn flipped(whole: &[u8]) -> Vec<u8> {
    let (head, body) = parts(whole);
    let mut body = body.to_vec();
    flip(&mut body);
    [head, &body].concat()
}

/// One bit becomes another: the last digit's lowest one, so that a table of counts is still one; else the middle's.
pub fn flip(bytes: &mut [u8]) {
    let digit = bytes.iter().rposition(u8::is_ascii_digit);
    let at = digit.unwrap_or(bytes.len() / 2);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
}

pub fn edited(whole: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(parts(whole).1).unwrap();
    change(&mut json);
    answer(status(whole), json.to_string().as_bytes())
}

pub fn dated(whole: &[u8], date: &str) -> Vec<u8> {
    let (head, body) = parts(whole);
    let head = with_header(head, "date", |_| date.to_owned());
    [head.as_bytes(), body].concat()
}

/// `x-mrdeck-service: mrdeck-services/VERSION ROLE` with another version.
pub fn of_version(whole: &[u8], version: &str) -> Vec<u8> {
    let (head, body) = parts(whole);
    let head = with_header(head, "x-mrdeck-service", |name| {
        let (_, role) = name.split_once(' ').unwrap();
        format!("mrdeck-services/{version} {role}")
    });
    [head.as_bytes(), body].concat()
}

/// The head with another value of a header that it has.
fn with_header(head: &[u8], name: &str, value: impl Fn(&str) -> String) -> String {
    let head = std::str::from_utf8(head).unwrap();
    let line = |line: &str| match line.split_once(": ") {
        Some((_, old)) if is_header(line, name) => format!("{name}: {}", value(old)),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = head.split("\r\n").map(line).collect();
    lines.join("\r\n")
}

/// Keeps one page of the list, and says where the next one begins.
pub fn page(json: &mut Value, list: &str, from: usize, size: usize) {
    let Some(items) = json[list].as_array() else {
        return;
    };
    let end = items.len().min(from + size);
    let rest = (end < items.len()).then(|| end.to_string());
    json[list] = items[from..end].to_vec().into();
    json["nextToken"] = rest.into();
}

pub fn plain(whole: &[u8]) -> Vec<u8> {
    let (head, body) = parts(whole);
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        // Of `/health`: it does not say whose it is.
        let head = std::str::from_utf8(head).unwrap();
        let lines = head.split("\r\n");
        let lines: Vec<&str> = lines
            .filter(|line| !is_header(line, "x-mrdeck-service"))
            .collect();
        return [lines.join("\r\n").as_bytes(), body].concat();
    };
    if let Some(message) = json["error"]["message"].as_str() {
        return answer(status(whole), format!("{message}\n").as_bytes());
    }
    edited(whole, |json| {
        let fields = json.as_object_mut().unwrap();
        fields.retain(|name, _| PLAIN_FIELDS.contains(&name.as_str()));
    })
}
