#!/bin/sh
# Writes nginx's configuration from the environment and starts nginx. It writes only under RUN.
#   EASEL_PUBLIC_URL           the site's address for browsers
#   EASEL_CORS_ORIGINS         other origins whose pages may read pictures and upload, comma separated
#   PICTURES_ORIGIN            the origin of presigned URLs; by default the gateway, which signs them, is asked
#   EASEL_S3_BUCKET            easel
#   EASEL_TRUSTED_PROXIES      addresses or networks, comma separated, whose X-Forwarded-For names the client
#   EASEL_REQUESTS_PER_S       requests to the gateway that one address may make in a second, on average
#   EASEL_CONNECTIONS          requests of one address that may be answered at once
#   GATEWAY, STORAGE           host:port inside
set -euf
here=$(dirname "$0")
RUN=${RUN:-/tmp/nginx}
SITE=${SITE:-$here/site}
HEADERS=${HEADERS:-$here/headers}
SITE_PORT=${SITE_PORT:-8080}
STORAGE_PORT=${STORAGE_PORT:-9000}
GATEWAY=${GATEWAY:-gateway:8080}
STORAGE=${STORAGE:-storage:9000}
BUCKET=${EASEL_S3_BUCKET:-easel}
REQUESTS_PER_S=${EASEL_REQUESTS_PER_S:-50}
CONNECTIONS=${EASEL_CONNECTIONS:-100}
for number in "$REQUESTS_PER_S" "$CONNECTIONS"; do
  case $number in
    '' | 0* | *[!0-9]* | ??????*)
      echo "easel web: EASEL_REQUESTS_PER_S and EASEL_CONNECTIONS are whole numbers from 1 to 99999." >&2
      exit 1
      ;;
  esac
done
BURST=$((REQUESTS_PER_S * 4))
canonical() { # ADDRESS: its origin as browsers send it, in lower case, without a default port
  printf %s "${1%/}" | tr '[:upper:]' '[:lower:]' | sed 's|^\(http://.*\):80$|\1|; s|^\(https://.*\):443$|\1|'
}
public_url=$(canonical "$EASEL_PUBLIC_URL")
cors_origins=$(printf %s "${EASEL_CORS_ORIGINS:-}" | tr ',\n\t' '   ')
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
  $cors_origins "${EASEL_TRUSTED_PROXIES:-}"; do
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

# This machine has two names, and people type either. nginx refuses a name that is there twice.
names=$(for address in "$public_url" $cors_origins; do
  origin=$(canonical "$address")
  echo "$origin"
  case $origin in
    http*://127.0.0.1 | http*://127.0.0.1:*) echo "$origin" | sed 's|//127.0.0.1|//localhost|' ;;
    http*://localhost | http*://localhost:*) echo "$origin" | sed 's|//localhost|//127.0.0.1|' ;;
  esac
done | sort -u)
ORIGINS=
for origin in $names; do
  # The quotes are for nginx.
  # shellcheck disable=SC2089
  ORIGINS="$ORIGINS \"$origin\" \$http_origin;"
done

# The headers of functions/headers.json, as infra/site.py wrote them for nginx.
TLS_HEADERS=
case $SCHEME in https) TLS_HEADERS=$(cat "$HEADERS/tls.conf") ;; esac
SITE_HEADERS=$(sed "s|{storage}|$PICTURES_ORIGIN|g" "$HEADERS/site.conf")$TLS_HEADERS
DOCS_HEADERS=$(cat "$HEADERS/docs.conf")$TLS_HEADERS
API_HEADERS=$(cat "$HEADERS/api.conf")$TLS_HEADERS

RESOLVER=$(sed -n 's/^nameserver  *//p' /etc/resolv.conf 2>/dev/null | head -n 1)
case $RESOLVER in *:*) RESOLVER="[$RESOLVER]" ;; esac
RESOLVER=${RESOLVER:-127.0.0.1}

export REQUESTS_PER_S CONNECTIONS BURST
# shellcheck disable=SC2090
export RUN SITE ACCESS_LOG SITE_PORT STORAGE_PORT GATEWAY STORAGE BUCKET SCHEME DOLLAR TRUSTED_PROXIES ORIGINS RESOLVER
export SITE_HEADERS DOCS_HEADERS API_HEADERS
mkdir -p "$RUN"
# envsubst needs the names, not the values.
# shellcheck disable=SC2016
envsubst '$RUN $SITE $ACCESS_LOG $SITE_PORT $STORAGE_PORT $GATEWAY $STORAGE $BUCKET $SCHEME $DOLLAR $TRUSTED_PROXIES
  $REQUESTS_PER_S $CONNECTIONS $BURST $ORIGINS $RESOLVER $SITE_HEADERS $DOCS_HEADERS $API_HEADERS' <"$here/nginx.conf.template" >"$RUN/nginx.conf"
exec nginx -e stderr -c "$RUN/nginx.conf"
