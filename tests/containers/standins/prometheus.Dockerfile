FROM antrian-standin/trixie
RUN apt-get install -y -qq --no-install-recommends prometheus \
    && install --directory --owner nobody --group nogroup /prometheus
USER nobody
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
