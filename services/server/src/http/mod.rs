//! The HTTP interface of a service: its paths, and the layers around every request.

mod adding_up;
mod answer;
mod arriving;
mod error;
mod health;
mod input;
mod keys;
mod layers;
mod map;
mod map_outputs;
mod output;
mod params;
mod receiving;
mod reduce;
mod seen;
mod sorted_run;
mod split;
mod streamed;
mod table_budget;
mod text;
mod timing;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

pub use self::error::Error;
use self::input::Reading;
use self::receiving::{Receiving, receive};
use self::seen::Seen;
use self::table_budget::TableBudget;
use crate::config::Config;
use mrdeck_core::api;
use mrdeck_core::role::Role;
use mrdeck_store::Store;

/// The largest body of `POST /reduce`, and the largest manifest that it may name, in bytes.
pub const MAX_LIST: usize = 16 << 20;

/// The state that the handlers of a service share. Clones refer to the same state.
#[derive(Clone)]
pub struct ServiceState {
    store: Arc<dyn Store>,
    reading: Reading,
    seen: Arc<Seen>,
    tables: TableBudget,
    config: Arc<Config>,
}

impl ServiceState {
    /// Creates the state of a service.
    pub fn new(store: Arc<dyn Store>, config: Config) -> Self {
        Self {
            reading: Reading::new(store.clone()),
            seen: Arc::default(),
            tables: TableBudget::new(config.max_table_bytes.unwrap_or(u64::MAX)),
            store,
            config: Arc::new(config),
        }
    }
}

/// Returns the routes for connections beyond the limit: `/health` as ever, and a refusal for everything else.
pub fn full(limit: usize) -> Router {
    Router::new()
        .route(api::HEALTH, get(health::handle))
        .fallback(move || async move { Error::TooManyConnections { limit } })
        .layer(from_fn(layers::close))
}

/// Returns the routes of a service.
pub fn router(role: Role, state: ServiceState) -> Router {
    let slots = layers::Slots::new(state.config.max_in_flight);
    let work = match role {
        Role::Splitter => Router::new().route(api::SPLIT, get(split::handle)),
        Role::Mapper => Router::new().route(api::MAP, get(map::handle)),
        Role::Reducer => {
            Router::new().route(api::REDUCE, get(reduce::by_query).post(reduce::by_body))
        }
    };
    work.route_layer(from_fn_with_state(slots, layers::limit))
        .route_layer(from_fn_with_state(Receiving::default(), receive))
        .route(api::HEALTH, get(health::handle))
        .fallback(move |uri: Uri| async move {
            Error::NoSuchPath {
                path: uri.path().to_owned(),
                role,
            }
        })
        .method_not_allowed_fallback(move |method: Method, uri: Uri| async move {
            Error::WrongMethod {
                method,
                path: uri.path().to_owned(),
            }
        })
        .layer(DefaultBodyLimit::max(MAX_LIST))
        .layer(from_fn(move |request, next| {
            layers::observe(role, request, next)
        }))
        .with_state(state)
}
