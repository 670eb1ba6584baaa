FROM antrian-standin/trixie
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN apt-get install -y -qq --no-install-recommends python3 python3-venv python3-pip \
    && ln -s /usr/bin/python3 /usr/local/bin/python3
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV LANG=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
