# Stands in for k8s-hub: Debian with a hub's packages beside Python's own, and the same user.
FROM debian
RUN useradd --create-home --uid 1000 jovyan
RUN python3 -m venv /usr/local \
 && python3 -m pip install --no-cache-dir jupyterhub~=5.5.4
WORKDIR /srv/jupyterhub
RUN chown jovyan:jovyan /srv/jupyterhub
USER jovyan
EXPOSE 8081
CMD ["jupyterhub", "--config", "/usr/local/etc/jupyterhub/jupyterhub_config.py"]
