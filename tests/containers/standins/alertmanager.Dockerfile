FROM antrian-standin/trixie
RUN apt-get install -y -qq --no-install-recommends prometheus-alertmanager \
    && install --directory --owner nobody --group nogroup /alertmanager
USER nobody
VOLUME /alertmanager
EXPOSE 9093
ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
