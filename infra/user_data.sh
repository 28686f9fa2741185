#!/bin/bash
# Makes an Amazon Linux 2023 instance an application server: TLS on port $port in
# front of the application, its log in CloudWatch, its settings without a secret.
set -euo pipefail
umask 077

dnf install --assumeyes nginx openssl amazon-cloudwatch-agent

install --directory --mode 0755 /etc/financial /var/log/financial
cat > /etc/financial/application.env <<'SETTINGS'
AWS_REGION=$region
DATABASE_SECRET_NAME=$secret_name
LISTEN=127.0.0.1:8080
SETTINGS
chmod 0644 /etc/financial/application.env

# The load balancer encrypts to the instance; it does not check this name.
openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 730 -subj "/CN=financial-application" \
  -keyout /etc/pki/tls/private/financial.key -out /etc/pki/tls/certs/financial.crt

cat > /etc/nginx/nginx.conf <<'NGINX'
user nginx;
worker_processes auto;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  server_tokens off;
  access_log /var/log/financial/access.log;
  error_log /var/log/financial/error.log warn;
  server {
    listen $port ssl;
    ssl_certificate /etc/pki/tls/certs/financial.crt;
    ssl_certificate_key /etc/pki/tls/private/financial.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location = /health { return 200 "healthy\n"; }
    location / {
      proxy_pass http://127.0.0.1:8080;
      proxy_set_header Host $$host;
      proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $$http_x_forwarded_proto;
    }
  }
}
NGINX

cat > /opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json <<'AGENT'
{
  "agent": {"region": "$region"},
  "logs": {"logs_collected": {"files": {"collect_list": [
    {"file_path": "/var/log/financial/*.log", "log_group_name": "$log_group", "log_stream_name": "{instance_id}/application"},
    {"file_path": "/var/log/secure", "log_group_name": "$log_group", "log_stream_name": "{instance_id}/secure"},
    {"file_path": "/var/log/cloud-init-output.log", "log_group_name": "$log_group", "log_stream_name": "{instance_id}/boot"}
  ]}}}
}
AGENT

systemctl enable --now nginx
systemctl enable --now amazon-cloudwatch-agent
