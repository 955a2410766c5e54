//! Exports spans and metrics over gRPC to a collector of our own: in batches, and when they are shut down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::metrics::periodic_reader_with_async_runtime::PeriodicReader;
use opentelemetry_sdk::runtime;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, async_trait};

/// Counts what it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<AtomicU64>,
    metrics: Arc<AtomicU64>,
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources.into_iter().flat_map(|resource| resource.scope_spans);
        let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
        self.spans.fetch_add(spans as u64, Ordering::Relaxed);
        Ok(Response::new(Default::default()))
    }
}

#[async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let resources = request.into_inner().resource_metrics;
        let scopes = resources.into_iter().flat_map(|resource| resource.scope_metrics);
        let metrics: usize = scopes.map(|scope| scope.metrics.len()).sum();
        self.metrics.fetch_add(metrics as u64, Ordering::Relaxed);
        Ok(Response::new(Default::default()))
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = Collector::default();
    let server = Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    let batches = BatchSpanProcessor::builder(exporter, runtime::Tokio).build();
    let tracers = SdkTracerProvider::builder().with_span_processor(batches).build();
    let tracer = tracers.tracer("guest");
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let tracer = tracer.clone();
            tokio::spawn(async move {
                let mut span = tracer.start("work");
                tokio::time::sleep(Duration::from_millis(1)).await;
                span.end();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    tracers.force_flush().unwrap();
    assert_eq!(collector.spans.load(Ordering::Relaxed), 20);
    tracer.start("last").end();

    let exporter = MetricExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    let reader = PeriodicReader::builder(exporter, runtime::Tokio)
        .with_interval(Duration::from_millis(20))
        .build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let counter = meters.meter("guest").u64_counter("requests").build();
    counter.add(3, &[]);
    while collector.metrics.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    meters.shutdown().unwrap();
    tracers.shutdown().unwrap();
    assert_eq!(collector.spans.load(Ordering::Relaxed), 21, "the last one comes with the end");

    // One span at a time, each sent when it ends.
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    let simple = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    simple.tracer("guest").start("alone").end();
    simple.shutdown().unwrap();
    assert_eq!(collector.spans.load(Ordering::Relaxed), 22);
    println!("ok");
}
