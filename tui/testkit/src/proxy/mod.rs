//! FAKE PART: a proxy before a real service, which does to each request what the script says.
//! It speaks as much HTTP/1.1 as the console and the services need, one request a connection.

pub mod fault;
pub mod forward;
pub(crate) mod message;
pub mod rule;
pub mod script;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use self::message::Request;
use self::script::{Fault, Gate, Script};
use crate::runtime;

/// Who a proxy stands before. A service that was started again is elsewhere.
type Target = Arc<Mutex<SocketAddr>>;

pub struct Proxy {
    pub address: SocketAddr,
    target: Target,
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
        let target = Arc::new(Mutex::new(target));
        let stands_before = target.clone();
        let server = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (name, script) = (name.clone(), script.clone());
                let target = *stands_before.lock().unwrap();
                tokio::spawn(async move {
                    // A broken connection on either side ends the other, as without a proxy.
                    let _ = handle(client, &name, target, &script).await;
                });
            }
        });
        Self {
            address,
            target,
            _server: AbortOnDropHandle::new(server),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next request on it stands before another one.
    pub fn turn_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = target;
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
    let is_head = request.method == "HEAD";
    let (number, fault) = script.decide(request.seen(name));
    let (pieces, pause) = match &fault {
        Fault::Drip { pieces, pause } => (*pieces, *pause),
        _ => (1, Duration::ZERO),
    };
    // A caller that goes ends what was asked for it, as without a proxy.
    let answer = tokio::select! {
        answer = decided(fault, request, target) => answer?,
        gone = hang_up(&mut client) => {
            script.hung_up(number);
            return gone;
        }
    };
    let Some(mut answer) = answer else {
        return Ok(());
    };
    if is_head {
        answer.truncate(message::parts(&answer).0.len());
    }
    for piece in answer.chunks(answer.len().div_ceil(pieces)) {
        sleep(pause).await;
        client.write_all(piece).await?;
    }
    client.shutdown().await
}

/// Completes when the caller has gone.
async fn hang_up(client: &mut BufReader<TcpStream>) -> io::Result<()> {
    while client.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

/// What the caller is to get, as the fault has it; `None` is a connection that ends without a byte.
async fn decided(
    fault: Fault,
    request: Request,
    target: SocketAddr,
) -> io::Result<Option<Vec<u8>>> {
    let answer = match fault {
        Fault::Pass | Fault::Drip { .. } => request.ask(target).await?,
        Fault::Answer { status, body } => message::answer(status, body.as_bytes()),
        Fault::Silence => std::future::pending().await,
        Fault::Close => return Ok(None),
        Fault::Cut => message::cut(request.ask(target).await?),
        Fault::LoseAnswer => {
            request.ask(target).await?;
            return Ok(None);
        }
        Fault::Hold(gate) => {
            gate.passed().await;
            request.ask(target).await?
        }
        Fault::HoldAnswer(gate) => held(&gate, request.ask(target).await?).await,
        Fault::Edit(change) => message::edited(&request.ask(target).await?, |json| change(json)),
        Fault::Paged { list, size } => {
            let asked = request.json()?;
            let from = asked["nextToken"]
                .as_str()
                .map_or(0, |token| token.parse().unwrap());
            message::edited(&request.ask(target).await?, |json| {
                message::page(json, list, from, size);
            })
        }
        Fault::At(date) => message::dated(&request.ask(target).await?, date),
        Fault::Plain => message::plain(&request.without_extensions().ask(target).await?),
        Fault::Delay(pause) => {
            sleep(pause).await;
            request.ask(target).await?
        }
        Fault::Slow(factor) => {
            let asked = Instant::now();
            let answer = request.ask(target).await?;
            sleep(asked.elapsed().mul_f64(factor - 1.0)).await;
            answer
        }
        Fault::Twice => {
            let (first, second) = tokio::join!(request.ask(target), request.ask(target));
            first.and(second)?
        }
        Fault::FlipRequest => request.flipped().ask(target).await?,
        Fault::FlipAnswer => message::flipped(&request.ask(target).await?),
        Fault::Shorten => message::shortened(&request.ask(target).await?),
        Fault::HalfRequest => {
            let _open = request.half_ask(target).await?;
            std::future::pending().await
        }
        Fault::Redirect(other) => request.ask(other).await?,
        Fault::Repeat(name) => request.repeating(&name).ask(target).await?,
        Fault::Omit(name) => request.omitting(&name).ask(target).await?,
        Fault::Version(version) => message::of_version(&request.ask(target).await?, &version),
    };
    Ok(Some(answer))
}

async fn held(gate: &Gate, answer: Vec<u8>) -> Vec<u8> {
    gate.passed().await;
    answer
}
