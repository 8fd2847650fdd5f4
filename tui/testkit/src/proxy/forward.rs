//! FAKE PART: a forward proxy, as networks of companies have one. Whatever host it is asked for, it leads to one server,
//! so that a call that came through it can't have come directly.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_util::task::AbortOnDropHandle;

use super::message::Request;
use crate::runtime;

/// A call as the proxy saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    pub is_tunnel: bool,
    /// With the port, if it is not that of the scheme.
    pub host: String,
    pub authorization: Option<String>,
}

pub struct ForwardProxy {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Forwarded>>>,
    _server: AbortOnDropHandle<()>,
}

impl ForwardProxy {
    /// Starts a proxy that leads to `plain`, and through a tunnel to `tls`.
    pub fn start(plain: SocketAddr, tls: SocketAddr) -> Self {
        Self::start_for(plain, tls, false)
    }

    /// Starts one that refuses whoever has no user and password; any will do.
    pub fn with_password(plain: SocketAddr, tls: SocketAddr) -> Self {
        Self::start_for(plain, tls, true)
    }

    fn start_for(plain: SocketAddr, tls: SocketAddr, wants_password: bool) -> Self {
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let server = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move {
                    // A broken connection on either side ends the other, as with a real one.
                    let _ = handle(client, plain, tls, wants_password, &log).await;
                });
            }
        });
        Self {
            address,
            seen,
            _server: AbortOnDropHandle::new(server),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Forwarded> {
        self.seen.lock().unwrap().clone()
    }
}

async fn handle(
    client: TcpStream,
    plain: SocketAddr,
    tls: SocketAddr,
    wants_password: bool,
    log: &Mutex<Vec<Forwarded>>,
) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let Some(mut request) = Request::read(&mut client).await? else {
        return Ok(());
    };
    let is_tunnel = request.method == "CONNECT";
    let host = if is_tunnel {
        request.target().to_owned()
    } else {
        request.take_host()
    };
    let authorization = request.header("proxy-authorization").map(str::to_owned);
    if wants_password && authorization.is_none() {
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        client.write_all(refused).await?;
        return client.shutdown().await;
    }
    log.lock().unwrap().push(Forwarded {
        is_tunnel,
        host,
        authorization,
    });
    if is_tunnel {
        let mut server = TcpStream::connect(tls).await?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let answer = request.ask(plain).await?;
    client.write_all(&answer).await?;
    client.shutdown().await
}

/// A server that speaks TLS before one that does not, with a certificate of a private authority.
pub struct TlsServer {
    pub address: SocketAddr,
    /// The authority's certificate, in PEM format.
    pub authority: String,
    _server: AbortOnDropHandle<()>,
}

impl TlsServer {
    /// Stands before `target`; its certificate is for `host`.
    pub fn start(host: &str, target: SocketAddr) -> Self {
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::Issuer::from_params(&authority, &authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = runtime()
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let server = runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(target).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            authority: authority.self_signed(&authority_key).unwrap().pem(),
            _server: AbortOnDropHandle::new(server),
        }
    }
}
