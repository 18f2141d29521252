#!/bin/sh
# Writes nginx's configuration from the environment and starts nginx. It writes only under RUN.
#   EASEL_PUBLIC_URL           the site's address for browsers
#   PICTURES_ORIGIN            the origin of presigned URLs; by default the gateway, which signs them, is asked
#   EASEL_S3_BUCKET            easel
#   EASEL_TRUSTED_PROXIES      addresses or networks, comma separated, whose X-Forwarded-For names the client
#   GATEWAY, STORAGE           host:port inside
set -eu
here=$(dirname "$0")
RUN=${RUN:-/tmp/nginx}
SITE=${SITE:-$here/site}
HEADERS=${HEADERS:-$here/headers}
SITE_PORT=${SITE_PORT:-8080}
STORAGE_PORT=${STORAGE_PORT:-9000}
GATEWAY=${GATEWAY:-gateway:8080}
STORAGE=${STORAGE:-storage:9000}
BUCKET=${EASEL_S3_BUCKET:-easel}
# As browsers send it: in lower case, without a default port.
public_url=$(printf %s "${EASEL_PUBLIC_URL%/}" | tr '[:upper:]' '[:lower:]')
case $public_url in
  http://*:80) public_url=${public_url%:80} ;;
  https://*:443) public_url=${public_url%:443} ;;
esac
SCHEME=${public_url%%://*}
ACCESS_LOG=${ACCESS_LOG:-/dev/stdout}
DOLLAR=$

while [ -z "${PICTURES_ORIGIN:-}" ]; do
  PICTURES_ORIGIN=$(curl --silent --fail --max-time 5 --noproxy '*' --head "http://$GATEWAY/" |
    sed -n "s/^content-security-policy:.* connect-src 'self' \([^ ;]*\);.*/\1/Ip") || true
  [ -n "$PICTURES_ORIGIN" ] || { echo "easel web: waiting for the gateway." >&2 && sleep 1; }
done

# These become part of the configuration, so only characters of addresses and paths are allowed.
for value in "$RUN" "$SITE" "$HEADERS" "$ACCESS_LOG" "$SITE_PORT" "$STORAGE_PORT" "$GATEWAY" "$STORAGE" "$BUCKET" "$PICTURES_ORIGIN" "$public_url" \
  "${EASEL_TRUSTED_PROXIES:-}"; do
  case $value in
    *[!]A-Za-z0-9:/.,_[-]*)
      echo "easel web: '$value' contains a character that is not allowed in an address. Write international names as xn--..." >&2
      exit 1
      ;;
  esac
done
case $SCHEME in
  http | https) ;;
  *)
    echo "easel web: EASEL_PUBLIC_URL must be an address such as https://easel.example.com." >&2
    exit 1
    ;;
esac

TRUSTED_PROXIES=
for network in $(echo "${EASEL_TRUSTED_PROXIES:-}" | tr , ' '); do
  TRUSTED_PROXIES="${TRUSTED_PROXIES}set_real_ip_from $network; "
done
[ -z "$TRUSTED_PROXIES" ] || TRUSTED_PROXIES="${TRUSTED_PROXIES}real_ip_header X-Forwarded-For; real_ip_recursive on;"

# A site on this machine has two names, and people type either.
# The quotes are for nginx.
# shellcheck disable=SC2089
ORIGINS="\"$public_url\" \$http_origin;"
case $public_url in
  http://127.0.0.1*) ORIGINS="$ORIGINS \"http://localhost${public_url#http://127.0.0.1}\" \$http_origin;" ;;
  http://localhost*) ORIGINS="$ORIGINS \"http://127.0.0.1${public_url#http://localhost}\" \$http_origin;" ;;
esac

# The headers of functions/headers.json, as infra/site.py wrote them for nginx.
SITE_HEADERS=$(sed "s|{storage}|$PICTURES_ORIGIN|g" "$HEADERS/site.conf")
DOCS_HEADERS=$(cat "$HEADERS/docs.conf")

RESOLVER=$(sed -n 's/^nameserver  *//p' /etc/resolv.conf 2>/dev/null | head -n 1)
case $RESOLVER in *:*) RESOLVER="[$RESOLVER]" ;; esac
RESOLVER=${RESOLVER:-127.0.0.1}

# shellcheck disable=SC2090
export RUN SITE ACCESS_LOG SITE_PORT STORAGE_PORT GATEWAY STORAGE BUCKET SCHEME DOLLAR TRUSTED_PROXIES ORIGINS RESOLVER
export SITE_HEADERS DOCS_HEADERS
mkdir -p "$RUN"
# envsubst needs the names, not the values.
# shellcheck disable=SC2016
envsubst '$RUN $SITE $ACCESS_LOG $SITE_PORT $STORAGE_PORT $GATEWAY $STORAGE $BUCKET $SCHEME $DOLLAR $TRUSTED_PROXIES
  $ORIGINS $RESOLVER $SITE_HEADERS $DOCS_HEADERS' <"$here/nginx.conf.template" >"$RUN/nginx.conf"
exec nginx -e stderr -c "$RUN/nginx.conf"
