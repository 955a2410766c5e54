//! kube's client against an API server of our own: pods listed, made, read, watched and deleted.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

type Pods = Arc<Mutex<BTreeMap<String, Value>>>;

/// All of them, or what happens to them: then each is said to be added, one line for each.
async fn list(State(pods): State<Pods>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let items: Vec<Value> = pods.lock().unwrap().values().cloned().collect();
    if query.get("watch").is_none_or(|watch| watch != "true") {
        let list = json!({ "apiVersion": "v1", "kind": "PodList",
            "metadata": { "resourceVersion": "1" }, "items": items });
        return Json(list).into_response();
    }
    let lines = items.into_iter().map(|item| {
        let line = json!({ "type": "ADDED", "object": item }).to_string() + "\n";
        Ok::<_, std::convert::Infallible>(Bytes::from(line))
    });
    Body::from_stream(futures_util::stream::iter(lines)).into_response()
}

async fn create(State(pods): State<Pods>, Json(mut pod): Json<Value>) -> Response {
    pod["metadata"]["uid"] = json!("1-2-3");
    pod["metadata"]["resourceVersion"] = json!("7");
    let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
    pods.lock().unwrap().insert(name, pod.clone());
    (StatusCode::CREATED, Json(pod)).into_response()
}

fn found(pod: Option<Value>) -> Response {
    match pod {
        Some(pod) => Json(pod).into_response(),
        None => {
            let status = json!({ "apiVersion": "v1", "kind": "Status", "metadata": {},
                "status": "Failure", "reason": "NotFound", "message": "no such pod", "code": 404 });
            (StatusCode::NOT_FOUND, Json(status)).into_response()
        }
    }
}

async fn read(State(pods): State<Pods>, Path(name): Path<String>) -> Response {
    found(pods.lock().unwrap().get(&name).cloned())
}

async fn delete(State(pods): State<Pods>, Path(name): Path<String>) -> Response {
    found(pods.lock().unwrap().remove(&name))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = Router::new()
        .route("/api/v1/namespaces/shop/pods", get(list).post(create))
        .route("/api/v1/namespaces/shop/pods/{name}", get(read).delete(delete))
        .with_state(Pods::default());
    tokio::spawn(async move { axum::serve(listener, server).await });

    let client = Client::try_from(Config::new(url.parse()?))?;
    let pods: Api<Pod> = Api::namespaced(client, "shop");
    assert!(pods.list(&ListParams::default()).await?.items.is_empty());
    for name in ["orders", "prices"] {
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": { "containers": [{ "name": name, "image": "none" }] } });
        let made = pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
        assert_eq!((made.name_any().as_str(), made.uid().as_deref()), (name, Some("1-2-3")));
    }
    let all = pods.list(&ListParams::default()).await?;
    assert_eq!(
        all.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(),
        ["orders", "prices"]
    );
    let orders = pods.get("orders").await?;
    assert_eq!(orders.spec.unwrap().containers[0].image.as_deref(), Some("none"));

    let events = pods.watch(&WatchParams::default(), "0").await?;
    let events: Vec<WatchEvent<Pod>> = events.try_collect().await?;
    assert!(events.iter().all(|event| matches!(event, WatchEvent::Added(_))), "{events:?}");
    assert_eq!(events.len(), 2);

    pods.delete("orders", &DeleteParams::default()).await?;
    let Err(kube::Error::Api(gone)) = pods.get("orders").await else { panic!("it is there") };
    assert_eq!(gone.code, 404);
    println!("ok");
    Ok(())
}
