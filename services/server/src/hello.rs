//! The first deployment check: three records over HTTP, without S3. It proves image → repository → task → public IP.

use axum::extract::Path;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use mrdeck_core::api::{self, ErrorAnswer, ErrorDetail};

/// A record, as `GET /albums/{id}` returns it.
#[derive(Debug, Clone, Copy, Serialize)]
struct Album {
    id: &'static str,
    title: &'static str,
    artist: &'static str,
    /// In dollars.
    price: f64,
}

const ALBUMS: [Album; 3] = [
    Album {
        id: "1",
        title: "Blue Train",
        artist: "John Coltrane",
        price: 56.99,
    },
    Album {
        id: "2",
        title: "Jeru",
        artist: "Gerry Mulligan",
        price: 17.99,
    },
    Album {
        id: "3",
        title: "Sarah Vaughan and Clifford Brown",
        artist: "Sarah Vaughan",
        price: 39.99,
    },
];

/// Returns the routes `GET /albums`, `GET /albums/{id}` and `GET /health`; any other is a 404 as JSON.
pub fn router() -> Router {
    Router::new()
        .route(api::HEALTH, get(|| async { "ok" }))
        .route("/albums", get(|| async { Json(ALBUMS) }))
        .route("/albums/{id}", get(album))
        .fallback(|uri: Uri| async move {
            let path = uri.path();
            not_found(format!(
                "there is no path {path} here; try /albums, /albums/1 or /health"
            ))
        })
}

async fn album(Path(id): Path<String>) -> Response {
    match ALBUMS.iter().find(|album| album.id == id) {
        Some(album) => Json(album).into_response(),
        None => not_found(format!(
            "there is no album '{id}'; see /albums for the list"
        )),
    }
}

fn not_found(message: String) -> Response {
    let error = ErrorDetail {
        code: "not_found".to_owned(),
        message,
        object: None,
    };
    (StatusCode::NOT_FOUND, Json(ErrorAnswer { error })).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn get_json(path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn the_three_records_are_there() {
        let (status, albums) = get_json("/albums").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            albums,
            json!([
                {"id": "1", "title": "Blue Train", "artist": "John Coltrane", "price": 56.99},
                {"id": "2", "title": "Jeru", "artist": "Gerry Mulligan", "price": 17.99},
                {"id": "3", "title": "Sarah Vaughan and Clifford Brown",
                 "artist": "Sarah Vaughan", "price": 39.99},
            ])
        );
        let (status, jeru) = get_json("/albums/2").await;
        assert_eq!((status, &jeru["title"]), (StatusCode::OK, &json!("Jeru")));
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_as_json() {
        for path in ["/albums/4", "/albums/x", "/", "/albums/1/2"] {
            let (status, answer) = get_json(path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer["error"]["code"], "not_found", "{path}");
        }
    }
}
